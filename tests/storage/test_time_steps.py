"""Steps of a series: the calendar's and the clock's, what is missing, and what comes next."""

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.storage.time_steps import Calendar, IrregularTimes, Step, calendar_of
from pipeline.storage.times import parse_time


def calendar(*texts: str) -> Calendar:
    return calendar_of([parse_time(text) for text in texts])


@pytest.mark.parametrize(("texts", "step", "after"), [
    (("1", "2", "3"), "1", ["4", "5"]),
    (("0.1", "0.35"), "0.25", ["0.6", "0.85"]),
    (("2024-01", "2024-02"), "1 month", ["2024-03", "2024-04"]),
    (("2024-Q3", "2024-Q4"), "1 quarter", ["2025-Q1", "2025-Q2"]),
    (("2020-W52", "2020-W53"), "1 week", ["2021-W01", "2021-W02"]),
    (("2019-06-30", "2020-06-30"), "1 year", ["2021-06-30", "2022-06-30"]),
    (("2020-02-29", "2021-02-28", "2022-02-28"), "1 year", ["2023-02-28", "2024-02-29"]),
    (("2023-12-31", "2024-01-31", "2024-02-29"), "1 month", ["2024-03-31", "2024-04-30"]),
    (("2024-01-30", "2024-02-29"), "1 month", ["2024-03-30", "2024-04-30"]),
    (("2024-02-28", "2024-02-29", "2024-03-01"), "1 day", ["2024-03-02", "2024-03-03"]),
    (("2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"), "1 working day",
     ["2024-01-10", "2024-01-11", "2024-01-12", "2024-01-15"]),
    (("2024-01-01", "2024-01-08"), "1 week", ["2024-01-15"]),
    (("2024-03-30T00:00+01:00", "2024-03-31T00:00+01:00", "2024-04-01T00:00+02:00"), "1 day",
     ["2024-04-02T00:00+02:00"]),
    (("2024-01-01T23:00+01:00", "2024-01-01T23:00Z"), "1 hour", ["2024-01-02T00:00Z"]),
    (("2024-01-31 08:30", "2024-02-29 08:30"), "1 month", ["2024-03-31 08:30"]),
    (("2024-12-31T23:30:00", "2024-12-31T23:45:00"), "15 minutes", ["2025-01-01T00:00:00"]),
    (("2024-01-01T00:00Z", "2024-01-01T00:00:00.000000001Z"), "1 nanosecond",
     ["2024-01-01T00:00:00.000000002Z"]),
    (("2024-01-01T22", "2024-01-01T23"), "1 hour", ["2024-01-02T00"]),
    (("9999-11", "9999-12"), "1 month", [None]),
    (("9999-12-30", "9999-12-31"), "1 day", [None]),
])
def test_step_and_what_comes_next(texts: tuple[str, ...], step: str,
                                  after: list[str | None]) -> None:
    found = calendar(*texts)
    assert str(found.step) == step
    assert [found.after(place) for place in range(1, len(after) + 1)] == after


@pytest.mark.parametrize(("texts", "place", "message"), [
    (("1", "2", "4"), 2, "comes 2 after the one before, and the others are 1 apart; 1 point is "
                         "missing, the first at 3"),
    (("2024-01", "2024-02", "2024-05", "2024-06"), 2, "2 points are missing, the first at 2024-03"),
    (("2024-01-31", "2024-03-31", "2024-04-30"), 1, "the first at 2024-02-29"),
    (("2024-01-04", "2024-01-05", "2024-01-08", "2024-01-10"), 3, "the first at 2024-01-09"),
    (("2024-01-01T00:00Z", "2024-01-01T01:00Z", "2024-01-01T03:00Z"), 2,
     "1 point is missing, the first at 2024-01-01T02:00Z"),
    (("1", "3", "5", "6"), 3, "comes 1 after the one before, and the others are 2 apart"),
    (("2024-01-01T00:00", "2024-01-01T00:00:00.000000001", "2024-01-01T00:00:01"), 2,
     "comes 999999999 nanoseconds after"),
])
def test_the_first_odd_step_is_named(texts: tuple[str, ...], place: int, message: str) -> None:
    with pytest.raises(IrregularTimes) as caught:
        calendar(*texts)
    assert caught.value.place == place and message in str(caught.value)


FREQUENCIES = {"D": "1 day", "W-WED": "1 week", "MS": "1 month", "ME": "1 month",
               "QS": "1 quarter", "QE": "1 quarter", "YE": "1 year", "h": "1 hour",
               "15min": "15 minutes", "B": "1 working day", "7s": "7 seconds"}


@pytest.mark.fuzz
@given(st.sampled_from(list(FREQUENCIES)), st.dates(pd.Timestamp("1800-01-01").date(),
       pd.Timestamp("2150-01-01").date()), st.integers(8, 30), st.data())
def test_pandas_ranges_go_on_as_in_pandas_and_their_gaps_are_found(
        frequency: str, start: object, length: int, data: st.DataObject) -> None:
    texts = [stamp.isoformat() if frequency in ("h", "15min", "7s") else stamp.date().isoformat()
             for stamp in pd.date_range(start, periods=length + 5, freq=frequency)]
    found = calendar(*texts[:length])
    assert str(found.step) == FREQUENCIES[frequency]
    assert [found.after(step) for step in range(1, 6)] == texts[length:]
    gap = data.draw(st.integers(1, length - 2))
    if frequency == "B":
        # Without the Monday, say, a week of working days looks like one of days.
        assume(pd.Timestamp(texts[gap]).weekday() in (1, 2, 3) and length > 12)
    with pytest.raises(IrregularTimes) as caught:
        calendar(*texts[:gap], *texts[gap + 1 : length])
    assert caught.value.place == gap and f"the first at {texts[gap]}" in str(caught.value)


@pytest.mark.parametrize(("duration", "step"), [
    ("P1Y", Step(12, "month")), ("P3M", Step(3, "month")), ("P1D", Step(1, "working day")),
    ("P7D", Step(7, "day")), ("PT1H", Step(3600 * 10**9, "nanosecond")), ("PT24H", Step(1, "day"))])
def test_a_duration_is_a_step(duration: str, step: Step) -> None:
    assert step.lasts(Step.of_duration(duration))
    assert not Step(2, step.unit).lasts(Step.of_duration(duration))
