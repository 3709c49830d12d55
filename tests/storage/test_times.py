"""Times: what is read, and that their order is exactly that of the instants."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.storage.times import parse_time


@pytest.mark.parametrize(("earlier", "later"), [
    ("2024-01-02T00:00+02:00", "2024-01-01T23:30-05:00"),
    ("2024-01-01T00:00:00.000000001", "2024-01-01T00:00:00.000000002"),
    ("2024-01-01 00:00:00.000001Z", "2024-01-01T00:00:00.000002+00:00"),
    ("2024-02-28", "2024-02-29"), ("2023-12", "2024-01"), ("2023-Q4", "2024-Q1"),
    ("2020-W53", "2021-W01"), ("0001-01-01", "9999-12-31"), ("0001-01-01T00:00+23:59",
    "0001-01-01T00:00Z"), ("-1.5", "-1"), ("9007199254740992", "9007199254740993"), ("1e3", "1001"),
    ("0.1", "0.10000000000000000001"), ("2024-01-01T01", "2024-01-01T01:00:00,5")])
def test_order(earlier: str, later: str) -> None:
    first, second = parse_time(earlier), parse_time(later)
    assert first.kind == second.kind and first.at < second.at


@pytest.mark.parametrize("texts", [
    ("2024-01-01T12:00+02:00", "2024-01-01T10:00Z", "2024-01-01 05:00:00.000-0500"),
    ("1", "1.0", "1e0"), ("2024-Q2", "2024q2"), ("2024-W05", "2024W05"),
    ("2024-01-01T12", "2024-01-01 12:00", "2024-01-01t12:00:00.000000000000")])
def test_the_same_time(texts: tuple[str, ...]) -> None:
    assert len({parse_time(text).at for text in texts}) == 1


@pytest.mark.parametrize("text", [
    "", "noon", "nan", "inf", "1_000", "\uff12024", "0000-01-01", "0000-01", "2023-02-29",
    "2024-13", "2024-00", "2024-Q5", "2023-W53", "2024-W00", "2024-1-1", "01/02/2024",
    "2024-01-01T24:00", "2024-01-01T12:60", "2024-01-01T12:00:60", "2024-01-01T12:00+24:00",
    "2024-01-01T12:00:00.1234567891", "2024-01-01T", "2024-01-01 12:00 UTC", "10000-01-01",
    "1e400", "1" * 61, "2024-01-01\u00a012:00"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        parse_time(text)


def test_a_zero_with_any_exponent_takes_no_time() -> None:
    assert parse_time("0e999999999999").at == 0


OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(
    lambda minutes: timezone(timedelta(minutes=minutes)))
AWARE = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=OFFSETS | st.just(UTC))


@pytest.mark.fuzz
@given(st.lists(AWARE, min_size=2, max_size=6))
def test_times_with_offsets_come_in_the_order_of_their_instants(moments: list[datetime]) -> None:
    found = [parse_time(moment.isoformat()) for moment in sorted(moments)]
    assert {one.kind for one in found} == {"time with an offset"}
    distances = [(after - before) // timedelta(microseconds=1) * 1000
                 for before, after in pairwise(sorted(moments))]
    assert [after.at - before.at for before, after in pairwise(found)] == distances


@pytest.mark.fuzz
@given(st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)), st.integers(0, 999), OFFSETS)
def test_nanoseconds_are_those_of_pandas(moment: datetime, nanoseconds: int,
                                         offset: timezone) -> None:
    text = f"{moment.isoformat(timespec='microseconds')}{nanoseconds:03d}"
    epoch = parse_time("1970-01-01T00:00Z").at
    assert parse_time(f"{text}Z").at - epoch == pd.Timestamp(f"{text}Z").value
    written = moment.replace(tzinfo=offset).isoformat()[-6:]
    assert parse_time(text + written).at - epoch == pd.Timestamp(text + written).value
