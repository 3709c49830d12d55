"""Somebody's own series from a CSV file in long form: a header with id, time and value.

Each line is one point. The lines of a series stand in the order of time, those of several series
may stand between each other, and further columns are left alone. Times are numbers or ISO dates
and say the order alone: points are taken to be equally far apart.
"""

import math
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from pipeline.errors import UserError
from pipeline.storage.tables import read_rows
from pipeline.tasks.forecast.shared.measures import Array

_COLUMNS = ("id", "time", "value")


@dataclass
class _Growing:
    """A series as far as it has been read, and the line of each of its times."""

    values: list[float] = field(default_factory=list)
    lines: dict[float, int] = field(default_factory=dict)
    last: float = -math.inf


def read_series(path: Path, name: str, least: int) -> dict[str, Array]:
    """The series of a file by id, in the order in which they begin; errors call the file `name`.

    Raises UserError naming the line for a missing column or field, a value that is no finite
    number, a time that is none or of another kind, repeats or goes back, and a series of fewer
    than `least` points.
    """
    found: dict[str, _Growing] = {}
    dated: bool | None = None
    for row in read_rows(path, name, _COLUMNS):
        time, identity = row.fields["time"], row.fields["id"]
        moment, is_date = _moment(time, row.place)
        if dated not in (None, is_date):
            raise UserError(f"{row.place}: time {time!r} is a {'date' if is_date else 'number'} "
                            "and those before are not; write all times in one way")
        dated = is_date
        _append(found.setdefault(identity, _Growing()), moment, row.number("value"), row.line,
                f"{row.place}: time {time!r} of series {identity!r}")
    if not found:
        raise UserError(f"{name}, line 1: no points after the header")
    for identity, one in found.items():
        if len(one.values) < least:
            raise UserError(f"{name}, line {max(one.lines.values())}: series {identity!r} ends "
                            f"after {len(one.values)} points; a forecast needs {least} at least")
    return {identity: np.array(one.values) for identity, one in found.items()}


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
