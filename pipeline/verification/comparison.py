"""What it means that a result was reproduced: pure comparisons of scores, pages and claims.

A score reproduced by training may differ within the tolerance of its row, and of many rows some
may lie outside (`pipeline.verification.tolerances` says how far and how many). A figure that
follows from committed files by arithmetic (a score from predictions, a page from scores) may not
differ, nor may anything of a system whose predictions came out as the same bytes.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.results.boards import BOUNDS, Claim, Measured
from pipeline.scoring.records import Result, Score

EXACT = 1e-9
_FALSE_ALARMS = 0.01
Scores = Mapping[str, Mapping[str, float]]


@dataclass
class Findings:
    """What a verification compared (counts by kind), what differs, and what it could not check.

    `outside` are scores that lie outside of their tolerance, where chance may have put them, and
    `expected` is how many chance puts there of all that were compared.
    """

    compared: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    expected: float = 0.0

    def note(self, kind: str, differences: Sequence[str], count: int = 1) -> None:
        """Record `count` comparisons of one kind and the differences that they found."""
        self.compared[kind] += count
        self.differences += differences

    def settle(self) -> None:
        """Condemn the scores that lie outside where they are more than chance puts there."""
        from scipy.stats import poisson

        most = int(poisson.ppf(1 - _FALSE_ALARMS, self.expected)) if self.expected > 0 else 0
        if len(self.outside) > most:
            self.differences += [*self.outside, f"{len(self.outside)} scores lie outside of their "
                                 f"tolerance; of as many as were compared chance puts {most} there "
                                 "at most"]
        else:
            self.unchecked += [f"{text}; of as many scores as were compared chance puts up to "
                               f"{most} there" for text in self.outside]
        self.outside, self.expected = [], 0.0

    def text(self) -> str:
        """The findings for people; the last line counts everything."""
        lines = []
        for title, entries in (("NOT CHECKED", self.unchecked), ("DIFFERENT", self.differences)):
            lines += [f"{title} ({len(entries)}):", *(f"  - {entry}" for entry in entries), ""] \
                if entries else []
        counts = ", ".join(f"{count} {kind}" for kind, count in self.compared.items()) or "nothing"
        return "\n".join([*lines, f"{'FAILED' if self.differences else 'VERIFIED'}: compared "
                                  f"{counts}; {len(self.differences)} differences, "
                                  f"{len(self.unchecked)} things not checked"])


def lacking_scores(committed: Scores, reproduced: Scores) -> list[str]:
    """Rows and scores {row: {metric: value}} that one side alone has."""
    return [*_lacking(committed, reproduced, "row"),
            *(f"row {row!r}: {text}" for row in committed if row in reproduced
              for text in _lacking(committed[row], reproduced[row], "score"))]


def moved_scores(committed: Mapping[str, float], reproduced: Mapping[str, float],
                 tolerances: Mapping[str, float]) -> dict[str, str]:
    """Scores of a row that differ by more than the tolerance that they have, and how far.

    What has no tolerance can only be seen to be the same; `unmeasured` names rows that are not.
    """
    found = {}
    for metric in sorted(set(committed) & set(reproduced) & set(tolerances)):
        distance = abs(committed[metric] - reproduced[metric])
        # Written so that a NaN, which equals nothing, is a difference.
        if not distance <= tolerances[metric]:
            found[metric] = (f"{metric} is {committed[metric]:.6g} as committed and "
                             f"{reproduced[metric]:.6g} as reproduced; they are {distance:.3g} "
                             f"apart, tolerance {tolerances[metric]:.3g}")
    return found


def unmeasured(committed: Scores, reproduced: Scores, tolerances: Scores) -> list[str]:
    """Rows that have moved although nobody has measured how far they may."""
    return [row for row in committed if row in reproduced and any(
        committed[row][name] != reproduced[row][name]
        for name in set(committed[row]) & set(reproduced[row]) - set(tolerances.get(row, ())))]


def _lacking(committed: Mapping[str, Any], reproduced: Mapping[str, Any],
             kind: str) -> Iterator[str]:
    for name in sorted(set(committed) - set(reproduced)):
        yield f"{kind} {name!r} is committed but was not reproduced"
    for name in sorted(set(reproduced) - set(committed)):
        yield f"{kind} {name!r} was reproduced but is not committed"


def json_differences(committed: Any, found: Any, place: str) -> Iterator[str]:
    """Where two JSON values differ; numbers may differ by `EXACT`, relatively, and no more."""
    if isinstance(committed, Mapping) and isinstance(found, Mapping):
        yield from (f"{place}: {text}" for text in _lacking(committed, found, "key"))
        for key in sorted(set(committed) & set(found)):
            yield from json_differences(committed[key], found[key], f"{place}.{key}")
    elif isinstance(committed, list) and isinstance(found, list):
        if len(committed) != len(found):
            yield f"{place}: {len(committed)} entries are committed, {len(found)} found"
        for number, pair in enumerate(zip(committed, found, strict=False)):
            yield from json_differences(*pair, f"{place}[{number}]")
    elif not _same(committed, found):
        yield f"{place}: {committed!r} is committed, {found!r} found"


def _same(committed: Any, found: Any) -> bool:
    if type(committed) is not type(found):  # 1, 1.0 and true are equal for Python
        return False
    if isinstance(committed, float):
        return math.isclose(committed, found, rel_tol=EXACT, abs_tol=0.0)
    return bool(committed == found)


def bounds_of(scores: Mapping[str, Score]) -> dict[str, float]:
    """The bounds of each metric's interval, as scores with names of their own.

    A metric without an interval has none, so one that only one side has is a difference.
    """
    return {f"{name}, {side} bound": bound for name, score in scores.items() for side in BOUNDS
            if (bound := score[side]) is not None}


def result_differences(committed: Result, reproduced: Result) -> list[str]:
    """Where two metrics files differ in what no other machine computes otherwise.

    That is all but scores, their bounds, the details behind them, and whether a training that goes
    another way had converged.
    """
    return list(json_differences(_certain(committed), _certain(reproduced), committed["system"]))


def _certain(result: Result) -> dict[str, Any]:
    variants = {name: {key: value for key, value in answers.items()
                       if key not in ("metrics", "details")}
                for name, answers in result["variants"].items()}
    return {**{key: value for key, value in result.items() if key != "converged"},
            "variants": variants}


def curve_differences(committed: Any, reproduced: Any, place: str) -> Iterator[str]:
    """Where two learning curves differ in their steps, epochs and names of quantities."""
    yield from json_differences(_course(committed), _course(reproduced), place)


def _course(curve: Any) -> Any:
    if not isinstance(curve, list):
        return curve
    return [{name: value if name in ("step", "epoch") else None for name, value in point.items()}
            if isinstance(point, Mapping) else point for point in curve]


def claim_differences(committed: Sequence[Claim], reproduced: Sequence[Claim],
                      same_rows: Collection[str] = ()) -> list[str]:
    """Claims that one side lacks, or whose verdict is another but for the edge.

    Between machines a score moves within its tolerance, so a claim that is decided on one side may
    be undecided on the other; `unsettled` names these. Of a claim all of whose rows answered the
    same (`same_rows`) all that was measured is the same, too, but for what could have been
    detected where another number of claims was tested together.
    """
    first, second = _by_id(committed), _by_id(reproduced)
    own = Measured.__annotations__.keys() - (
        set() if _tested(committed) == _tested(reproduced) else {"detectable"})
    return [*_lacking(first, second, "claim"),
            *(f"claim {name!r} {old} as committed and {new} as reproduced"
              for name, old, new in _changed(first, second) if not _edge(old, new)),
            *(text for name in sorted(set(first) & set(second))
              if set(first[name]["values"]) <= set(same_rows)
              for text in json_differences(_only(own, first[name]), _only(own, second[name]),
                                           f"claim {name!r}"))]


def unsettled(committed: Sequence[Claim], reproduced: Sequence[Claim]) -> list[str]:
    """Claims that are decided on one side and undecided on the other."""
    return [f"claim {name!r} is at the edge: {old} as committed, {new} as reproduced"
            for name, old, new in _changed(_by_id(committed), _by_id(reproduced))
            if _edge(old, new)]


def _edge(old: str, new: str) -> bool:
    return "undecided" in (old, new) and "one training" not in (old, new)


def _only(names: Collection[str], claim: Claim) -> dict[str, Any]:
    return {key: value for key, value in claim.items() if key in names}


def _tested(claims: Sequence[Claim]) -> int:
    """How many claims Holm's method has taken together."""
    return sum(claim["p_adjusted"] is not None for claim in claims)


def _by_id(claims: Sequence[Claim]) -> dict[str, Claim]:
    return {claim["id"]: claim for claim in claims}


def _changed(first: Mapping[str, Claim],
             second: Mapping[str, Claim]) -> Iterator[tuple[str, str, str]]:
    for name in sorted(set(first) & set(second)):
        old, new = first[name]["verdict"], second[name]["verdict"]
        if old != new:
            yield name, old, new
