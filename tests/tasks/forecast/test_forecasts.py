"""Predictions have six significant digits, or as many as their series' spread needs."""

import numpy as np
import pytest

from pipeline.tasks.forecast.shared.forecasts import Forecasts


def test_numbers_of_every_size_keep_six_digits() -> None:
    points = np.array([[123456.789, -0.000123456789], [0.0, 9.9999996e12]])
    found = list(Forecasts(points, high=points + 1).predictions(["a", "b"]))
    assert [one["forecast"] for one in found] == [[123457.0, -0.000123457], [0.0, 1e13]]
    assert found[0] == {"id": "a", "forecast": found[0]["forecast"], "high": [123458.0, 0.999877]}


@pytest.mark.parametrize(("points", "width", "expected"), [
    # Steps of 3, and a band of 6, are written to a hundredth.
    ([123456789.12345, 123456792.12345], 0.0, [123456789.12, 123456792.12]),
    ([123456789.12345, 123456789.12345], 6.0, [123456789.12, 123456789.12]),
    ([-123456789.12345, -123456792.12345], 0.0, [-123456789.12, -123456792.12]),
    # A wide band needs no more than six digits, and no spread at all as many as there are.
    ([123456789.12345, 123456792.12345], 1e6, [123457000.0, 123457000.0]),
    ([123456789.0, 123456789.0], 0.0, [123456789.0, 123456789.0]),
    ([0.1, 0.1], 0.0, [0.1, 0.1]),
])
def test_a_small_spread_far_from_zero_is_seen(points: list[float], width: float,
                                              expected: list[float]) -> None:
    values = np.array([points])
    (found,) = Forecasts(values, values - width / 2, values + width / 2).predictions(["a"])
    assert found["forecast"] == expected
