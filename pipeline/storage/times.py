"""Points in time, exact: what a file writes, in which order they come, and what comes next.

A time is a number, or ISO 8601: a quarter (2024-Q2), a month (2024-05), a week (2024-W05), a date,
or a date with a time of day, with an offset from UTC or without. Years 1 to 9999, fractions of a
second to the nanosecond. All of it is kept in whole numbers, so that times a nanosecond apart
differ, and those with offsets come in the order of their instants: 23:30-05:00 comes after
00:00+02:00 of the next day. No time zone is known, so no clock is ever put forward or back.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal

from pipeline.storage.numbers import parse_number

Kind = Literal["number", "quarter", "month", "week", "date", "time", "time with an offset"]

SECOND = 10**9
DAY = 24 * 3600 * SECOND

_LONGEST = 60
_DATE = r"(?P<date>\d{4}-\d\d-\d\d)"
_CLOCK = r"(?P<hour>\d\d)(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?)?"
_OFFSET = r"(?P<offset>[Zz]|[+-]\d\d(?::?\d\d)?)?"
_TIME = re.compile(rf"{_DATE}(?P<between>[Tt ]){_CLOCK}{_OFFSET}", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d\d)", re.ASCII)
_QUARTER = re.compile(r"(\d{4})-?[Qq]([1-4])", re.ASCII)
_WEEK = re.compile(r"(\d{4})-?W(\d\d)", re.ASCII)


@dataclass(frozen=True)
class Time:
    """A time as `text` writes it.

    `at` orders times of one kind: a number's value, months since year 0 of a quarter or a month,
    the day of a date or of a week's Monday, nanoseconds of a time (in UTC where it has an offset,
    `offset` nanoseconds, which is 0 otherwise). Days are counted as Python's `date` counts them.
    """

    text: str
    kind: Kind
    at: int | Fraction
    offset: int = 0

    @property
    def day(self) -> int:
        """The day on the clock's own calendar, of a week, a date or a time."""
        return int(self.at) if self.kind in ("week", "date") else self._clock // DAY

    @property
    def time_of_day(self) -> int:
        """Nanoseconds since midnight on the clock's own calendar."""
        return self._clock % DAY if self.kind.startswith("time") else 0

    @property
    def _clock(self) -> int:
        return int(self.at) + self.offset


def parse_time(text: str) -> Time:
    """The time that `text` writes, without white space around it. Raises ValueError for none."""
    if len(text) > _LONGEST:
        raise ValueError("too long for a time")
    for reader in (_number, _quarter, _month, _week, _day, _instant):
        found = reader(text)
        if found is not None:
            return found
    raise ValueError("it is neither a number nor an ISO date like 2024-01-31, 2024-05, 2024-Q2, "
                     "2024-W05 or 2024-01-31T12:00:00+01:00")


def _number(text: str) -> Time | None:
    try:
        number = parse_number(text)
    except ValueError:
        return None
    # A zero may have any exponent, which a fraction would write out.
    return Time(text, "number", Fraction(text) if number else Fraction(0))


def _quarter(text: str) -> Time | None:
    match = _QUARTER.fullmatch(text)
    return match and Time(text, "quarter", 12 * _year(match[1]) + 3 * (int(match[2]) - 1))


def _month(text: str) -> Time | None:
    match = _MONTH.fullmatch(text)
    if match is None:
        return None
    if not 1 <= int(match[2]) <= 12:
        raise ValueError(f"there is no month {match[2]}")
    return Time(text, "month", 12 * _year(match[1]) + int(match[2]) - 1)


def _week(text: str) -> Time | None:
    match = _WEEK.fullmatch(text)
    if match is None:
        return None
    return Time(text, "week", date.fromisocalendar(_year(match[1]), int(match[2]), 1).toordinal())


def _day(text: str) -> Time | None:
    if re.fullmatch(_DATE, text, re.ASCII) is None:
        return None
    return Time(text, "date", date.fromisoformat(text).toordinal())


def _instant(text: str) -> Time | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError("a time of day is from 00:00:00 to 23:59:59")
    fraction = match["fraction"] or ""
    if len(fraction.rstrip("0")) > 9:
        raise ValueError("a fraction of a second goes to nine digits")
    clock = (date.fromisoformat(match["date"]).toordinal() * DAY
             + ((hour * 60 + minute) * 60 + second) * SECOND + int(fraction[:9].ljust(9, "0")))
    if match["offset"] is None:
        return Time(text, "time", clock)
    offset = _offset(match["offset"])
    return Time(text, "time with an offset", clock - offset, offset)


def _offset(text: str) -> int:
    """Nanoseconds east of UTC."""
    if text in "Zz":
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:
        raise ValueError("an offset from UTC is from -23:59 to +23:59")
    return (-1 if text[0] == "-" else 1) * (hours * 60 + minutes) * 60 * SECOND


def _year(text: str) -> int:
    if int(text) == 0:
        raise ValueError("years are counted from 0001")
    return int(text)


def month_of(day: int) -> int:
    """Months since year 0 of a day as Python's `date` counts it."""
    found = date.fromordinal(day)
    return 12 * found.year + found.month - 1


def days_in(month: int) -> int:
    """Days of a month that is counted since year 0."""
    return monthrange(month // 12, month % 12 + 1)[1]


def first_of(month: int) -> int:
    """Its first day. Raises ValueError behind the year 9999."""
    return date(month // 12, month % 12 + 1, 1).toordinal()
