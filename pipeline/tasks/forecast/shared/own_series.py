"""Somebody's own series from a CSV file in long form: a header with id, time and value.

Each line is one point. The lines of a series stand in the order of time, those of several series
may stand between each other, and further columns are left alone. Times are numbers or ISO dates
and say the order alone: points are taken to be equally far apart.
"""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from pipeline.errors import UserError
from pipeline.storage.files import read_text
from pipeline.tasks.forecast.shared.measures import Array

_COLUMNS = ("id", "time", "value")
_BYTE_ORDER_MARK = "\ufeff"


@dataclass
class _Growing:
    """A series as far as it has been read, and the line of each of its times."""

    values: list[float] = field(default_factory=list)
    lines: dict[float, int] = field(default_factory=dict)
    last: float = -math.inf


def read_series(path: Path, least: int) -> dict[str, Array]:
    """The series of a file by id, in the order in which they begin.

    Raises UserError naming the line for a missing column or field, a value that is no finite
    number, a time that is none or of another kind, repeats or goes back, and a series of fewer
    than `least` points.
    """
    if not path.is_file():
        raise UserError(f"{path} is no file; name a CSV file with the columns "
                        f"{', '.join(_COLUMNS)}")
    found: dict[str, _Growing] = {}
    dated: bool | None = None
    for line, identity, time, value in _fields(path):
        place = f"{path}, line {line}"
        moment, is_date = _moment(time, place)
        if dated not in (None, is_date):
            raise UserError(f"{place}: time {time!r} is a {'date' if is_date else 'number'} and "
                            "those before are not; write all times in one way")
        dated = is_date
        _append(found.setdefault(identity, _Growing()), moment, _number(value, place), line,
                f"{place}: time {time!r} of series {identity!r}")
    if not found:
        raise UserError(f"{path}, line 1: no points after the header")
    for identity, one in found.items():
        if len(one.values) < least:
            raise UserError(f"{path}, line {max(one.lines.values())}: series {identity!r} ends "
                            f"after {len(one.values)} points; a forecast needs {least} at least")
    return {identity: np.array(one.values) for identity, one in found.items()}


def _fields(path: Path) -> Iterator[tuple[int, str, str, str]]:
    """Line, id, time and value of each point."""
    rows = csv.reader(read_text(path).removeprefix(_BYTE_ORDER_MARK).splitlines())
    header = [name.strip() for name in next(rows, [])]
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        raise UserError(f"{path}, line 1: no column {missing[0]!r}; the first line must name "
                        f"the columns {', '.join(_COLUMNS)}, got {', '.join(header) or 'nothing'}")
    places = [header.index(name) for name in _COLUMNS]
    for row in rows:
        if not row:
            continue
        if len(row) != len(header):
            raise UserError(f"{path}, line {rows.line_num}: expected {len(header)} fields, got "
                            f"{len(row)}")
        identity, time, value = (row[place].strip() for place in places)
        yield rows.line_num, identity, time, value


def _append(series: _Growing, moment: float, value: float, line: int, subject: str) -> None:
    if moment in series.lines:
        raise UserError(f"{subject} stands in line {series.lines[moment]} already; keep one of "
                        "the two")
    if moment < series.last:
        raise UserError(f"{subject} is before that of line {series.lines[series.last]}; sort the "
                        "file by time")
    series.values.append(value)
    series.lines[moment] = line
    series.last = moment


def _moment(time: str, place: str) -> tuple[float, bool]:
    """A time as a number that grows with it, and whether it is a date."""
    try:
        number = float(time)
    except ValueError:
        pass
    else:
        if math.isfinite(number):
            return number, False
    try:
        return (datetime.fromisoformat(time).replace(tzinfo=None)
                - datetime.min).total_seconds(), True
    except ValueError:
        raise UserError(f"{place}: time {time!r} is neither a number nor an ISO date like "
                        "2024-01-31") from None


def _number(value: str, place: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UserError(f"{place}: value {value!r} is no finite number; mend it or fill the gap")
    return number
