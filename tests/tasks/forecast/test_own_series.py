"""Somebody's own CSV file: what is read, and the line of everything that is wrong."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.tasks.forecast.shared.own_series import OwnSeries, read_series


def read(tmp_path: Path, text: str, every: str | None = None) -> dict[str, OwnSeries]:
    (tmp_path / "own.csv").write_text(text, encoding="utf-8")
    return read_series(tmp_path / "own.csv", "own.csv", 2, every)


def test_series_between_each_other_and_further_columns(tmp_path: Path) -> None:
    found = read(tmp_path, "\ufefftime,place,value,id\n1,x,5,b\n1,y,2.5,a\n\n3,x,6e1,b\n4,y,-1,a\n")
    assert list(found) == ["b", "a"]
    assert found["b"].values == [5, 60]
    assert found["a"].values == [2.5, -1]


@pytest.mark.parametrize("times", [
    ("2023-12-31", "2024-01-01"), ("2024-01-01 23:00", "2024-01-02T00:00"), ("-1.5", "3")])
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
    ("id,time,value\na,noon,2\n", "line 2: time 'noon' is neither"),
    ("id,time,value\na,nan,2\n", "line 2: time 'nan' is neither"),
    ("id,time,value\na,1,2\na,2024-01-01,2\n", "line 3: time '2024-01-01' is a date"),
    ("id,time,value\na,1,2\nb,1,2\na,1.0,3\n",
     "line 4: time '1.0' of series 'a' stands in line 2 already"),
    ("id,time,value\na,2,2\nb,1,2\na,1,3\n",
     "line 4: time '1' of series 'a' is before that of line 2; sort"),
    ("id,time,value\na,1,2\na,2,2\nb,1,3\n",
     "line 4: series 'b' ends after 1 points; a forecast needs 2"),
])
def test_what_is_wrong_is_named_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"own.csv, {message}"):
        read(tmp_path, text)
