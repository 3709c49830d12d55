"""How far apart the times of a series are, whether all are, and which times come after them.

Steps are counted as people count them: calendar months (a day of the month, or its end), days,
working days from Monday to Friday, or lengths of time. A series is regular when one such count
gives all of its steps alike; where none does, the first odd step is named and, if it is a multiple
of the usual one, the time that is missing.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from typing import Literal, Self

from pipeline.storage.times import DAY, SECOND, Time, days_in, first_of, month_of

Unit = Literal["number", "month", "day", "working day", "nanosecond"]

_DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(\d+)H)?")
_LENGTHS = [(7 * DAY, "week"), (DAY, "day"), (3600 * SECOND, "hour"), (60 * SECOND, "minute"),
            (SECOND, "second"), (10**6, "millisecond"), (10**3, "microsecond"), (1, "nanosecond")]
_SPANS = [(12, "year"), (3, "quarter"), (1, "month")]


class IrregularTimes(ValueError):
    """Times that are not equally far apart; `place` is that of the first odd one among them."""

    def __init__(self, place: int, message: str) -> None:
        super().__init__(message)
        self.place = place


@dataclass(frozen=True)
class Step:
    """So many units from each time to the next."""

    amount: int | Fraction
    unit: Unit

    @classmethod
    def of_duration(cls, text: str) -> Self:
        """That of an ISO 8601 duration of months, days or hours, as 'P1Y' or 'PT1H'."""
        match = _DURATION.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no duration of months, days or hours")
        years, months, days, hours = (int(part or 0) for part in match.groups())
        if years or months:
            return cls(12 * years + months, "month")
        return cls(days * DAY + hours * 3600 * SECOND, "nanosecond")

    def __str__(self) -> str:
        if self.unit == "number":
            return _decimal(Fraction(self.amount))
        size, name = 1, "working day"
        whole = int(self.amount)
        if self.unit != "working day":
            whole = self._length or whole
            size, name = next(one for one in (_SPANS if self.unit == "month" else _LENGTHS)
                              if whole % one[0] == 0)
        return f"{whole // size} {name}{'s' if whole != size else ''}"

    def lasts(self, other: Self) -> bool:
        """Whether both are the same: a working day is a day, and a day 24 hours."""
        return (self.unit == other.unit == "month" and self.amount == other.amount
                or self._length is not None and self._length == other._length)

    @property
    def _length(self) -> int | None:
        """Nanoseconds; None of numbers and months."""
        known = {"day": DAY, "working day": DAY, "nanosecond": 1}
        return int(self.amount) * known[self.unit] if self.unit in known else None


@dataclass(frozen=True)
class Calendar:
    """The times of a regular series: its last one, its step, and the day of the month it keeps."""

    last: Time
    step: Step
    day_of_month: int = 1

    def after(self, steps: int) -> str | None:
        """The time so many steps behind the last one, written as that is; None behind year 9999."""
        try:
            return _written(self.last, self.step, steps, self.day_of_month)
        except (ValueError, OverflowError):
            return None


def calendar_of(times: Sequence[Time]) -> Calendar:
    """How two or more times of one kind, each after the one before, go on.

    Raises IrregularTimes naming the first that does not follow from those before.
    """
    counts = [(unit, positions) for unit, positions in _counts(times)
              if all(before < after for before, after in pairwise(positions))]
    for unit, positions in counts:
        found = {after - before for before, after in pairwise(positions)}
        if len(found) == 1 and (unit != "working day" or found == {1}):
            return Calendar(times[-1], Step(found.pop(), unit), _anchor(times))
    raise _irregular(times, *counts[0])


def _counts(times: Sequence[Time]) -> Iterator[tuple[Unit, list[int | Fraction]]]:
    """Ways to count the steps between times; the first is the one that fits best."""
    kind = times[0].kind
    if kind == "number":
        yield "number", [time.at for time in times]
    elif kind in ("quarter", "month"):
        yield "month", [time.at for time in times]
    elif kind == "week":
        yield "day", [time.at for time in times]
    else:
        days = [time.day for time in times]
        if len({time.time_of_day for time in times}) == 1:
            yield from _counts_of_days(days)
        if kind != "date":
            yield "nanosecond", [time.at for time in times]


def _counts_of_days(days: list[int]) -> Iterator[tuple[Unit, list[int | Fraction]]]:
    months = [month_of(day) for day in days]
    within = [day - first_of(month) + 1 for day, month in zip(days, months, strict=True)]
    if all(place == min(max(within), days_in(month))
           for place, month in zip(within, months, strict=True)):
        yield "month", [*months]
    weekdays = [(day - 1) % 7 for day in days]
    working: list[int | Fraction] = [day - 1 - 2 * ((day - 1) // 7) for day in days]
    weekends = any(after - before == 3 for before, after in pairwise(days))
    if max(weekdays) < 5 and weekends and _usual(working) == 1:
        yield "working day", working
    yield "day", [*days]


def _usual(positions: Sequence[int | Fraction]) -> int | Fraction:
    """The step that is most frequent, of equally frequent ones the smallest."""
    found = Counter(after - before for before, after in pairwise(positions))
    return min(found, key=lambda step: (-found[step], step))


def _irregular(times: Sequence[Time], unit: Unit,
               positions: Sequence[int | Fraction]) -> IrregularTimes:
    usual = _usual(positions)
    place, odd = next((place, after - before) for place, (before, after)
                      in enumerate(pairwise(positions), start=1) if after - before != usual)
    step = Step(usual, unit)
    text = f"comes {Step(odd, unit)} after the one before, and the others are {step} apart"
    if odd > usual and odd % usual == 0:
        missing = odd // usual - 1
        first = Calendar(times[place - 1], step, _anchor(times)).after(1)
        text += (f"; {missing} {'point is' if missing == 1 else 'points are'} missing, the first "
                 f"at {first}")
    return IrregularTimes(place, text)


def _anchor(times: Sequence[Time]) -> int:
    """The day of the month that dates keep: the latest, which a shorter month cuts to its end."""
    if times[0].kind in ("number", "quarter", "month"):
        return 1
    return max(time.day - first_of(month_of(time.day)) + 1 for time in times)


def _written(last: Time, step: Step, steps: int, day_of_month: int) -> str:
    if step.unit == "number":
        return _decimal(Fraction(last.at + steps * step.amount))
    count = steps * int(step.amount)
    if last.kind in ("quarter", "month"):
        return _month(int(last.at) + count, last)
    if step.unit == "nanosecond":
        return _instant(int(last.at) + last.offset + count, last)
    day = _DAY_AFTER[step.unit](last.day, count, day_of_month)
    if last.kind == "week":
        found = date.fromordinal(day).isocalendar()
        between = "-" if "-" in last.text else ""
        return f"{found.year:04d}{between}W{found.week:02d}"
    return date.fromordinal(day).isoformat() + last.text[len("2024-01-31"):]


def _month(month: int, like: Time) -> str:
    first_of(month)
    year, within = divmod(month, 12)
    if like.kind == "month":
        return f"{year:04d}-{within + 1:02d}"
    return f"{year:04d}{like.text[4:-1]}{within // 3 + 1}"


def _months_later(day: int, count: int, day_of_month: int) -> int:
    month = month_of(day) + count
    return first_of(month) + min(day_of_month, days_in(month)) - 1


def _working_days_later(day: int, count: int, _: int) -> int:
    weeks, within = divmod((day - 1) % 7 + count, 5)
    return day - (day - 1) % 7 + 7 * weeks + within


_DAY_AFTER: dict[str, Callable[[int, int, int], int]] = {
    "month": _months_later,
    "day": lambda day, count, _: day + count,
    "working day": _working_days_later,
}


def _instant(clock: int, like: Time) -> str:
    """A time on the calendar of `like`, with as many of its parts or as many as are needed."""
    match = re.fullmatch(r"(.{10})(.)(\d\d[:\d]*)(?:([.,])(\d+))?(.*)", like.text)
    assert match is not None
    _, between, whole, point, fraction, offset = match.groups()
    day, rest = divmod(clock, DAY)
    seconds, nanoseconds = divmod(rest, SECOND)
    minutes, second = divmod(seconds, 60)
    parts = [minutes // 60, minutes % 60, second]
    digits = len(f"{nanoseconds:09d}".rstrip("0")) if nanoseconds else 0
    needed = 3 if digits or second else 2 if parts[1] else 1
    shown = max(needed, whole.count(":") + 1, 3 if fraction else 1)
    text = ":".join(f"{part:02d}" for part in parts[:shown])
    if size := max(digits, len(fraction or "")):
        text += (point or ".") + f"{nanoseconds:09d}"[:size].ljust(size, "0")
    return date.fromordinal(day).isoformat() + between + text + offset


def _decimal(number: Fraction) -> str:
    """A fraction that decimal numbers sum to, written without an exponent."""
    with localcontext() as context:
        context.prec = 1000
        text = format(Decimal(number.numerator) / Decimal(number.denominator), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
