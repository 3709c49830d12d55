"""Somebody's own series from a CSV file in long form: a header with id, time and value.

Each line is one point. The lines of a series stand in the order of time, those of several series
may stand between each other, and further columns are left alone. Times are numbers or those of
`storage.times`; those of a series are equally far apart, as `storage.time_steps` counts it, because
a point that is missing would move all seasons after it.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.errors import UserError
from pipeline.storage.tables import Row, read_rows, shown
from pipeline.storage.time_steps import Calendar, IrregularTimes, Step, calendar_of
from pipeline.storage.times import Time, parse_time
from pipeline.tasks.forecast.shared.measures import Array
from pipeline.tasks.forecast.shared.values import problem

_COLUMNS = ("id", "time", "value")
_YEAR = re.compile("1[5-9][0-9][0-9]|2[01][0-9][0-9]")
_NUMBERED = ("number the points 1, 2, 3 ... in the column time to have them count as equally far "
             "apart")


@dataclass
class OwnSeries:
    """A series: its values, and the time and the line of each; `calendar` goes on after them."""

    values: list[float] = field(default_factory=list)
    times: list[Time] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    @property
    def past(self) -> Array:
        return np.array(self.values)

    @property
    def calendar(self) -> Calendar:
        """Raises IrregularTimes where the times are not equally far apart."""
        return calendar_of(self.times)


def read_series(path: Path, name: str, least: int,
                every: str | None = None) -> dict[str, OwnSeries]:
    """The series of a file by id, in the order in which they begin; errors call the file `name`.

    `every` is the step that a system forecasts in, as an ISO 8601 duration; times that say nothing
    of it, plain numbers, go with any. Raises UserError naming the line for a missing column or
    field, a value that is no number or beyond what systems compute with, a time that is none or of
    another kind, repeats or goes back, times that are not equally far apart or so by another step,
    and a series of fewer than `least` points.
    """
    found: dict[str, OwnSeries] = {}
    kind = None
    for row in read_rows(path, name, _COLUMNS, exact=("id",)):
        time = _time(row)
        if kind not in (None, time.kind):
            raise UserError(f"{row.place}: time {shown(time.text)} is a {time.kind}, and those "
                            f"before are of another kind ({kind}); write all times in one way")
        kind = time.kind
        _append(found.setdefault(row.fields["id"], OwnSeries()), row, time)
    if not found:
        raise UserError(f"{name}, line 1: no points after the header")
    for identity, one in found.items():
        _check_length(one, f"{name}, line {one.lines[-1]}: series {shown(identity)}", least)
        _check_steps(one, name, identity, every)
    return found


def _time(row: Row) -> Time:
    text = row.fields["time"]
    try:
        return parse_time(text)
    except ValueError as error:
        raise UserError(f"{row.place}: time {shown(text)} is no time: {error}") from None


def _append(series: OwnSeries, row: Row, time: Time) -> None:
    value = row.number("value")
    if found := problem(value):
        raise UserError(f"{row.place}: value {shown(row.fields['value'])} is {'; '.join(found)}")
    if series.times and time.at <= series.times[-1].at:
        subject = f"{row.place}: time {shown(time.text)} of series {shown(row.fields['id'])}"
        for earlier, line in zip(series.times, series.lines, strict=True):
            if earlier.at == time.at:
                raise UserError(f"{subject} stands in line {line} already; keep one of the two")
        raise UserError(f"{subject} is before that of line {series.lines[-1]}; sort the file by "
                        "time")
    series.values.append(value)
    series.times.append(time)
    series.lines.append(row.line)


def _check_length(series: OwnSeries, subject: str, least: int) -> None:
    if len(series.values) < least:
        raise UserError(f"{subject} ends after {len(series.values)} points; a forecast needs "
                        f"{least} at least")


def _check_steps(series: OwnSeries, name: str, identity: str, every: str | None) -> None:
    if len(series.times) < 2:
        return
    try:
        step = series.calendar.step
    except IrregularTimes as error:
        raise UserError(f"{name}, line {series.lines[error.place]}: time "
                        f"{shown(series.times[error.place].text)} of series {shown(identity)} "
                        f"{error}; fill the gap or mend the time, or {_NUMBERED}") from None
    if step.unit == "number":
        if step.amount != 1 or not all(_YEAR.fullmatch(time.text) for time in series.times):
            return
        step = Step(12, "month")
    if every is not None and not step.lasts(wanted := Step.of_duration(every)):
        raise UserError(f"{name}, line {series.lines[1]}: the points of series {shown(identity)} "
                        f"are {step} apart, and this system forecasts points that are {wanted} "
                        f"apart; ask a system of a track of that frequency, or {_NUMBERED}")
