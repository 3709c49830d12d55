"""Somebody's own CSV file: what is read, and the line of everything that is wrong."""

import csv
import io
import re
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.storage.times import parse_time
from pipeline.tasks.forecast.shared.own_series import OwnSeries, read_series


def read(tmp_path: Path, text: str, every: str | None = None) -> dict[str, OwnSeries]:
    (tmp_path / "own.csv").write_text(text, encoding="utf-8")
    return read_series(tmp_path / "own.csv", "own.csv", 2, every)


def test_series_between_each_other_and_further_columns(tmp_path: Path) -> None:
    found = read(tmp_path, "\ufefftime,place,value,id\n1,x,5,b\n1,y,2.5,a\n\n3,x,6e1,b\n4,y,-1,a\n")
    assert list(found) == ["b", "a"]
    assert found["b"].values == [5, 60]
    assert found["a"].values == [2.5, -1]


def test_ids_are_as_they_are_written(tmp_path: Path) -> None:
    found = read(tmp_path, "id,time,value\na,1,1\na ,1,2\na, 2,3\na , 2 , 4\n")
    assert {identity: one.values for identity, one in found.items()} == {"a": [1, 3], "a ": [2, 4]}


@pytest.mark.parametrize("times", [
    ("2023-12-31", "2024-01-01"), ("2024-01-01 23:00", "2024-01-02T00:00"), ("-1.5", "3"),
    ("2024-01-02T00:00+02:00", "2024-01-01T23:30-05:00"), ("2024-Q1", "2024-Q2"),
    ("2024-01-01T00:00:00.000001", "2024-01-01T00:00:00.000002"), ("2024-W01", "2024-W02")])
def test_times_are_numbers_or_dates(times: tuple[str, str], tmp_path: Path) -> None:
    assert len(read(tmp_path, f"id,time,value\na,{times[0]},1\na,{times[1]},2\n")["a"].values) == 2


@pytest.mark.parametrize(("text", "message"), [
    ("id,time\na,1\n", r"line 1: no column 'value'; .* got id, time"),
    ("\n", "line 1: no column 'id'; .* got nothing"),
    ("id,time,value\n", "line 1: no points"),
    ("id,time,value\na,1,2\na,2\n", "line 3: expected 3 fields, got 2"),
    ("id,time,value\na,1,2\na,2,\n", "line 3: value '' is no finite number"),
    ("id,time,value\na,1,nan\na,2,3\n", "line 2: value 'nan' is no finite number"),
    ("id,time,value\na,1,2\na,2,1,5\n", "line 3: expected 3 fields, got 4"),
    ("id,time,value\na,noon,2\n", "line 2: time 'noon' is no time: it is neither"),
    ("id,time,value\na,nan,2\n", "line 2: time 'nan' is no time: it is neither"),
    ("id,time,value\na,1,2\na,2024-01-01,2\n", "line 3: time '2024-01-01' is a date"),
    ("id,time,value\na,1,2\nb,1,2\na,1.0,3\n",
     "line 4: time '1.0' of series 'a' stands in line 2 already"),
    ("id,time,value\na,2,2\nb,1,2\na,1,3\n",
     "line 4: time '1' of series 'a' is before that of line 2; sort"),
    ("id,time,value\na,1,2\na,2,2\nb,1,3\n",
     "line 4: series 'b' ends after 1 points; a forecast needs 2"),
    ("id,time,value\na,2024-01-01T23:30-05:00,2\na,2024-01-02T00:00+02:00,2\n",
     "line 3: time '2024-01-02T00:00.02:00' of series 'a' is before that of line 2; sort"),
    ("id,time,value\na,2024-01-01T23:30-05:00,2\na,2024-01-02T06:30:00.0+02:00,2\n",
     "line 3: time .* stands in line 2 already"),
    ("id,time,value\na,2024-01-01T12:00Z,2\na,2024-01-02T12:00,2\n",
     "line 3: time '2024-01-02T12:00' is a time, and those before are of another kind"),
    ("id,time,value\na,2024-01,2\na,2024-02,2\na,2024-04,2\n",
     "line 4: time '2024-04' of series 'a' comes 2 months after .* the first at 2024-03; fill"),
    ("id,time,value\na,1,2\nb,7,1\na,2,2\nb,8,1\na,4,2\n",
     "line 6: time '4' of series 'a' comes 2 after .* the first at 3; fill the gap or mend"),
    ("id,time,value\na,1,1e22\n", "line 2: value '1e22' is beyond what systems compute with"),
    ("id,time,value\na,1,-1e-23\n", "line 2: value '-1e-23' is beyond what systems compute"),
    ("id,time,value\na,1,\uff11\uff12\n", "line 2: value '\uff11\uff12' is no finite number"),
    ("id,time,value\na,1,1_000\n", "line 2: value '1_000' is no finite number"),
    ("id,time,value\na,1,1\xa0\n", r"line 2: value '1\\xa0' is no finite number"),
])
def test_what_is_wrong_is_named_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"own.csv, {message}"):
        read(tmp_path, text)


@pytest.mark.parametrize(("times", "every", "refused"), [
    (("2024-01-01", "2024-01-02", "2024-01-03"), "P1M", "1 day apart, .* 1 month apart"),
    (("2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"), "P1D", None),
    (("2024-01-01", "2024-02-01", "2024-03-01"), "P1M", None),
    (("2024-01", "2024-02", "2024-03"), "P3M", "1 month apart, .* 1 quarter apart"),
    (("2024-01", "2024-04", "2024-07"), "P3M", None),
    (("2024-01-01T00", "2024-01-01T01"), "PT1H", None),
    (("2024-01-01T00:00", "2024-01-02T00:00"), "PT1H", "1 day apart, .* 1 hour apart"),
    (("1990", "1991", "1992"), "P1M", "1 year apart, .* 1 month apart"),
    (("1990", "1991", "1992"), "P1Y", None),
    (("1", "2", "3"), "P1M", None), (("990", "991"), "PT1H", None),
])
def test_steps_are_those_that_a_system_forecasts(times: tuple[str, ...], every: str,
                                                 refused: str | None, tmp_path: Path) -> None:
    text = "id,time,value\n" + "".join(f"a,{time},1\n" for time in times)
    if refused is None:
        assert len(read(tmp_path, text, every)["a"].values) == len(times)
        return
    with pytest.raises(UserError, match=f"own.csv, line 3: the points of series 'a' are {refused}"):
        read(tmp_path, text, every)


POINTS = st.lists(st.tuples(
    st.sampled_from(["a", "b", "a ", "", "\u00e9"]),
    st.sampled_from(["1", "2", "3", "2024-01-01", "2024-01-02", "2024-02", "2024-01-01T00:00Z"])
    | st.integers(-9, 9).map(str) | st.datetimes().map(str) | st.text(max_size=4),
    st.floats().map(repr) | st.sampled_from(["1,5", "1_0", "\uff11", "0x1", "1e999"])
    | st.text(max_size=4)), max_size=6)
BYTES = st.sampled_from([b"\0", b'"', b",", b"\n", b"\r", b"\xff", b"\xef\xbb\xbf", b"e", b"-",
                         b"\xc2\x85", b" ", b"9" * 140_000, b"'", b"\t"])
VALID = b"id,time,value\na,2024-01-30,1\nb,1999-12-31,2.5\na,2024-01-31,-3e2\nb,2000-01-01,0\n"


def quoted(points: list[tuple[str, str, str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([("id", "time", "value"), *points])
    return buffer.getvalue().encode("utf-8", "surrogatepass")


@pytest.mark.fuzz
@given(POINTS.map(quoted) | st.binary(max_size=60).map(lambda rest: VALID[:14] + rest)
       | st.tuples(st.integers(0, len(VALID)), st.integers(0, 3), BYTES).map(
           lambda edit: VALID[: edit[0]] + edit[2] + VALID[edit[0] + edit[1] :]))
def test_any_file_is_series_or_an_error_with_its_line(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own.csv"
        path.write_bytes(content)
        try:
            found = read_series(path, "own.csv", 2)
        except UserError as error:
            assert re.match(r"own\.csv(, line \d+| is empty)", str(error))
            return
    for series in found.values():
        assert len(series.values) == len(series.times) >= 2
        assert np.all(np.isfinite(series.past))
        assert all(before.at < after.at for before, after in pairwise(series.times))
        next_time = series.calendar.after(1)
        assert next_time is None or parse_time(next_time).at > series.times[-1].at
