"""Digits of predictions follow the spread of their series; no score sees what they leave out."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.scoring.scores import ItemStatistics
from pipeline.tasks.forecast.shared.forecasts import Forecasts, small_step
from pipeline.tasks.forecast.shared.measures import mase_scale
from pipeline.tasks.forecast.shared.metrics import METRICS, interval_statistics, statistics
from pipeline.tasks.forecast.shared.seasonality import naive2


def test_numbers_have_twenty_bits_or_two_millionths_of_a_small_step() -> None:
    points = np.array([[123456.789, -0.0001234567], [0.0, 9.9999e12]])
    pasts = [np.array([0.0, 1e5]), np.array([0.0, 1e12])]
    found = list(Forecasts(points, high=points + 1).predictions(["a", "b"], pasts))
    # 2^-19 of 10^5 is 0.19, so an eighth; 2^-13 < 0.0001234567 < 2^-12, so 2^-32.
    eighths, small = 123456 + 6 / 8, -round(0.0001234567 * 2**32) / 2**32
    # 2^-19 of 10^12 is 2^20.8.
    assert [one["forecast"] for one in found] == [
        [eighths, small], [0.0, round(9.9999e12 / 2**20) * 2**20]]
    # Between a half and 1 twenty bits go to 2^-20.
    assert found[0] == {"id": "a", "forecast": [eighths, small],
                        "high": [eighths + 1, round((1 - 0.0001234567) * 2**20) / 2**20]}


@pytest.mark.parametrize(("value", "steps", "expected"), [
    # 2^-19 of 3 is 2^-17.4.
    (123456789.123456789, [3.0, 3, 3], 123456789 + 32363 / 2**18),
    (-123456789.123456789, [0, 0, 3.0], -123456789 - 32363 / 2**18),
    # A break does not hide that all other steps are small.
    (123456789.123456789, [3.0, 3, 1e8, 3], 123456789 + 32363 / 2**18),
    # No steps at all: nobody knows how much of it counts.
    (123456789.123456789, [0.0, 0.0], 123456789.12345679),
    (0.1, [0.0], 0.1),
    (5e15 + 1, [1.0, 1.0], 5e15 + 1),
])
def test_a_small_spread_far_from_zero_is_seen(value: float, steps: list[float],
                                              expected: float) -> None:
    past = value + np.cumsum([0.0, *steps])
    points = np.array([[value, value]])
    (found,) = Forecasts(points, points, points).predictions(["a"], [past])
    assert found == {"id": "a", **dict.fromkeys(("forecast", "low", "high"), [expected] * 2)}


def scored(forecasts: Forecasts, past: np.ndarray, future: np.ndarray,
           period: int) -> dict[str, float]:
    assert forecasts.low is not None and forecasts.high is not None
    scale = np.array([mase_scale(past, period)])
    items = statistics(["a"], forecasts.points, future[None],
                       naive2(past, period, len(future))[None], scale)
    limits = interval_statistics(forecasts.low, forecasts.high, future[None], scale)
    items = ItemStatistics(["a"], items.columns | limits)
    return {name: items.score(metric) for name, metric in METRICS.items()}


@pytest.mark.fuzz
@given(level=st.floats(-1e15, 1e15) | st.sampled_from([0.0, 1e15, 123456789.0]),
       spread=st.floats(-9, 12).map(lambda power: 10.0**power),
       period=st.sampled_from([1, 4]), seed=st.integers(0, 2**31))
def test_no_score_sees_what_the_digits_leave_out(level: float, spread: float, period: int,
                                                 seed: int) -> None:
    generator = np.random.default_rng(seed)
    series = level + spread * generator.standard_normal(46).cumsum()
    past, future = series[:40], series[40:]
    assume(mase_scale(past, period) > 0 and not np.array_equal(future, naive2(past, period, 6)))
    points = level + spread * generator.standard_normal((1, 6)).cumsum(axis=1)
    width = spread * np.sqrt(np.arange(1, 7)) * generator.uniform(1, 30)
    exact = Forecasts(points, points - width, points + width)
    (text,) = exact.predictions(["a"], [past])
    short = Forecasts(*(np.array([text[name]]) for name in ("forecast", "low", "high")))
    for one, other in ((short.points, points), (short.low, exact.low), (short.high, exact.high)):
        lost = (np.maximum(2.0**-20 * small_step(past), 2.0**-23 * np.abs(other - points))
                + 2 * np.spacing(np.abs(other)))
        assert np.all(np.abs(one - other) <= lost)
    assert np.all((short.low <= short.points) & (short.points <= short.high))
    before, after = scored(exact, past, future, period), scored(short, past, future, period)
    for name, value in before.items():
        # Nothing but a float's own last digits moves where a series hardly has more than those.
        ends = 1e3 * math.ulp(abs(level)) / spread
        assert after[name] == pytest.approx(value, rel=max(1e-6, ends)), name


def test_a_large_level_scores_as_without_rounding() -> None:
    """The field's case: around 123,456,789 in steps of 3."""
    generator = np.random.default_rng(1)
    series = 123456789 + 3 * generator.standard_normal((200, 46)).cumsum(axis=1)
    points = series[:, 39:40] + 3 * generator.standard_normal((200, 6))

    def owa(values: np.ndarray) -> float:
        items = statistics(list(map(str, range(200))), values, series[:, 40:],
                           np.repeat(series[:, 39:40], 6, axis=1),
                           np.array([mase_scale(one[:40], 1) for one in series]))
        return items.score(METRICS["owa"])

    text = Forecasts(points).predictions(list(map(str, range(200))), list(series[:, :40]))
    assert owa(np.array([one["forecast"] for one in text])) == pytest.approx(owa(points), rel=1e-6)
