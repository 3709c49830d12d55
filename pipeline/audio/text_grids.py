"""Praat's TextGrid: labelled intervals of a recording, in tiers, as phoneticians exchange them.

The text format (Boersma and Weenink, "Praat: doing phonetics by computer"; its manual's page
"TextGrid file formats") is a row of texts in quotation marks, flags in angle brackets and numbers
that stand by themselves; whatever else stands there is decoration, of which the short form has
none. A quotation mark within a text is doubled. The intervals of a tier cover the recording without
gaps, so where nothing is, an empty one stands. Times are written in whole milliseconds.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UserError
from pipeline.storage.lines import read_lines

_TOKEN = re.compile(r'"(?P<text>(?:[^"]|"")*)"|<(?P<flag>\w+)>|!.*'
                    r"|(?<![^ \t\n])(?P<number>-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)(?![^ \t\n])")
_SLACK = 1e-6  # seconds


@dataclass(frozen=True)
class Interval:
    """A label from `begin` to `end`, in seconds."""

    label: str
    begin: float
    end: float


def read_text_grid(path: Path) -> dict[str, list[Interval]]:
    """The tiers of intervals by their names, empty intervals among theirs; no tiers of points.

    Raises UserError naming file and line for what is no TextGrid, intervals out of order and two
    tiers of one name.
    """
    tokens = _Tokens(path)
    if [tokens.text(), tokens.text()] != ["ooTextFile", "TextGrid"]:
        raise tokens.error("this is no TextGrid in Praat's text format")
    begin, end = tokens.number(), tokens.number()
    tokens.flag("exists")
    tiers: dict[str, list[Interval]] = {}
    for _ in range(tokens.count()):
        kind, name = tokens.text(), tokens.text()
        tokens.number(), tokens.number()
        if kind == "TextTier":
            for _ in range(tokens.count()):
                tokens.number(), tokens.text()
            continue
        if kind != "IntervalTier" or name in tiers:
            raise tokens.error(f"{kind[:40]!r} {name[:40]!r} is no tier, or a second one of its "
                               "name")
        tiers[name] = _intervals(tokens, begin, end)
    return tiers


def _intervals(tokens: "_Tokens", begin: float, end: float) -> list[Interval]:
    found: list[Interval] = []
    reached = begin
    for _ in range(tokens.count()):
        start, stop, label = tokens.number(), tokens.number(), tokens.text()
        if not reached - _SLACK <= start < stop <= end + _SLACK:
            raise tokens.error(f"the interval {label[:40]!r} from {start} to {stop} does not "
                               f"follow {reached}, or ends behind {end}")
        found.append(Interval(label, start, stop))
        reached = stop
    return found


class _Tokens:
    """The texts, flags and numbers of a file, one after the other."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = "\n".join(read_lines(path))
        self._matches = (match for match in _TOKEN.finditer(self._content) if match.lastgroup)
        self._place = 0

    def text(self) -> str:
        return self._next("text").replace('""', '"')

    def number(self) -> float:
        return float(self._next("number"))

    def count(self) -> int:
        number = self.number()
        if number < 0 or number != int(number):
            raise self.error(f"{number} is no number of intervals or tiers")
        return int(number)

    def flag(self, wanted: str) -> None:
        if self._next("flag") != wanted:
            raise self.error(f"expected <{wanted}>")

    def error(self, problem: str) -> UserError:
        line = self._content.count("\n", 0, self._place) + 1
        return UserError(f"{self._path}, line {line}: {problem}; mend the file, or save it again "
                         "in Praat as a text file")

    def _next(self, kind: str) -> str:
        match = next(self._matches, None)
        if match is None:
            raise self.error(f"the file ends where a {kind} should stand")
        self._place = match.start()
        if match.lastgroup != kind:
            raise self.error(f"expected a {kind}, got {match[0][:40]!r}")
        return match[kind]


def text_grid(tiers: Sequence[tuple[str, Sequence[Interval]]], seconds: float) -> str:
    """A TextGrid of a recording of `seconds`: of each tier a name and its intervals, in order.

    Raises ValueError for intervals out of order, shorter than a millisecond or behind the end.
    """
    length = _milliseconds(seconds)
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "",
             "xmin = 0.000", f"xmax = {_seconds(length)}", "tiers? <exists>",
             f"size = {len(tiers)}", "item []:"]
    for number, (name, intervals) in enumerate(tiers, start=1):
        lines += [f"    item [{number}]:", *_tier(name, list(_covering(intervals, length)), length)]
    return "\n".join(lines) + "\n"


def _tier(name: str, intervals: Sequence[tuple[str, int, int]], length: int) -> Iterator[str]:
    indent = " " * 8
    yield f'{indent}class = "IntervalTier"'
    yield f'{indent}name = "{name}"'
    yield f"{indent}xmin = 0.000"
    yield f"{indent}xmax = {_seconds(length)}"
    yield f"{indent}intervals: size = {len(intervals)}"
    for number, (label, begin, end) in enumerate(intervals, start=1):
        quoted = label.replace('"', '""')
        yield f"{indent}intervals [{number}]:"
        yield f"{indent}    xmin = {_seconds(begin)}"
        yield f"{indent}    xmax = {_seconds(end)}"
        yield f'{indent}    text = "{quoted}"'


def _covering(intervals: Sequence[Interval], length: int) -> Iterator[tuple[str, int, int]]:
    """The intervals in milliseconds, and empty ones where there are none."""
    reached = 0
    for interval in intervals:
        begin, end = _milliseconds(interval.begin), _milliseconds(interval.end)
        if not reached <= begin < end <= length:
            raise ValueError(f"{interval.label!r} from {_seconds(begin)} to {_seconds(end)} does "
                             f"not follow {_seconds(reached)} or ends behind {_seconds(length)}")
        if begin > reached:
            yield "", reached, begin
        yield interval.label, begin, end
        reached = end
    if reached < length or not intervals:
        yield "", reached, length


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f}"
