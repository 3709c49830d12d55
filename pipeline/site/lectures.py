"""Claims under the lectures that they are from, with the tracks, rows and methods behind them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.results.boards import Claim
from pipeline.results.claim_pages import VERDICTS, effect_in_words, verdicts_in_words
from pipeline.results.leaderboard import metrics_of
from pipeline.results.markdown import decimal, probability
from pipeline.results.trainings import place_of
from pipeline.site.addresses import lecture_anchor, row_anchor
from pipeline.site.agreeing import judged_claims
from pipeline.site.code import Library, Module
from pipeline.suite.schema import ClaimSettings, Suite

_METHODS = 3  # blocks of a lecture that are named, and models
_NAMED = 1000  # weight of what is called like the lecture
_APART = 10  # weight of what one side of a claim has alone
_PLUMBING = ("nn.batching", "nn.dropout", "nn.softmax", "audio.batching", "audio.frames")


@dataclass(frozen=True)
class Side:
    """A row that a claim names: its mean score over all trainings, and where it stands."""

    row: str
    value: str
    anchor: str


@dataclass(frozen=True)
class ShownClaim:
    """A claim as its page shows it; `line` has places of zero, the effect and its interval."""

    claim: Claim
    sides: Sequence[Side]
    contrast: Sequence[Side]
    effect: str
    interval: str
    p: str
    preference: str
    line: Mapping[str, float] | None


@dataclass
class Lecture:
    """A lecture's claims, those that wait for a system, its tracks and its methods."""

    name: str
    claims: list[ShownClaim] = field(default_factory=list)
    waiting: list[ClaimSettings] = field(default_factory=list)
    tracks: list[str] = field(default_factory=list)
    methods: list[Module] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        return lecture_anchor(self.name)

    @property
    def title(self) -> str:
        return f"{self.name[:1].upper()}{self.name[1:]}"

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many claims have each verdict, of those that any has."""
        found = [shown.claim["verdict"] for shown in self.claims]
        return [(verdict, found.count(verdict)) for verdict in VERDICTS if verdict in found]


def lectures_of(suite: Suite, library: Library) -> list[Lecture]:
    """Lectures in the order of their names.

    Raises UserError for claims of another shape, and for one that params.yaml states otherwise.
    """
    judged = judged_claims(suite)
    found: dict[str, Lecture] = {}
    for stated in suite.claims:
        lecture = found.setdefault(stated.lecture, Lecture(stated.lecture))
        if stated.id in judged:
            lecture.claims.append(_shown(suite, judged[stated.id]))
        else:
            lecture.waiting.append(stated)
        if stated.track not in lecture.tracks:
            lecture.tracks.append(stated.track)
    for lecture in found.values():
        lecture.methods = _methods(suite, lecture, library)
    return sorted(found.values(), key=lambda lecture: lecture.name.lower())


def counts_in_words(lectures: Sequence[Lecture]) -> str:
    """'Of 60 claims 17 hold, 2 are refuted, ...'."""
    found = [shown.claim["verdict"] for lecture in lectures for shown in lecture.claims]
    return (f"Of {len(found)} claims {verdicts_in_words(found)}." if found
            else "No claim has been judged.")


def _shown(suite: Suite, claim: Claim) -> ShownClaim:
    metric = metrics_of(suite, claim["track"])[claim["metric"]]
    decimals, p = metric.decimals, claim["p_adjusted"]

    def sides(*rows: str) -> list[Side]:
        return [Side(row, decimal(claim["values"][row], decimals), row_anchor(row)) for row in rows]

    contrast = claim["contrast"]
    effect, interval = effect_in_words(claim, decimals)
    return ShownClaim(
        claim=claim, sides=sides(claim["better"], claim["worse"]),
        contrast=sides(contrast["better"], contrast["worse"]) if contrast else [],
        effect=effect, interval=interval,
        p="–" if p is None else probability(p), preference=metric.preference, line=_line(claim))


def _line(claim: Claim) -> dict[str, float] | None:
    """Places from 0 to 100 of zero, the effect and its interval."""
    if claim["low"] is None or claim["high"] is None:
        return None
    values: dict[str, Any] = {"zero": 0.0, "effect": claim["effect"], "low": claim["low"],
                              "high": claim["high"]}
    least, most = min(values.values()), max(values.values())
    span = (most - least) or 1.0
    return {name: round(4 + 92 * (value - least) / span, 1) for name, value in values.items()}


def _methods(suite: Suite, lecture: Lecture, library: Library) -> list[Module]:
    """What the lecture's claims are about, as code: what one side has and the other has not.

    A block that is called like the lecture comes first, then what tells the sides of many claims
    apart, what the better sides are made of, and the models themselves.
    """
    weights: Counter[Module] = Counter()
    models: dict[Module, None] = {}
    for claim in [one for one in suite.claims if one.lecture == lecture.name]:
        better, *others = [place_of(suite, claim.track, row)[0]
                           for row in (claim.better, *claim.worse)]
        made = library.methods(suite, better)
        weights.update(made)
        for other in others:
            apart = set(made) ^ set(library.methods(suite, other))
            weights.update({module: _APART for module in sorted(apart, key=lambda one: one.name)})
        model = library.model(suite, better)
        models |= {model: None} if model else {}
    words = set(lecture.name.lower().split())
    weights.update({module: _NAMED for module in sorted(weights, key=lambda one: one.name)
                    if words & set(module.short.rpartition(".")[2].split("_"))})
    blocks = [module for module, _ in weights.most_common() if module.short not in _PLUMBING]
    return [*blocks[:_METHODS], *list(models)[:_METHODS]]
