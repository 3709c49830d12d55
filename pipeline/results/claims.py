"""Claims: sentences of lectures, and what the leaderboards say about them.

A claim says that one row beats each of some others (or, with a contrast, that it beats another by
more than a third beats a fourth), and is about systems, not about one lucky training of each. The
effect is the difference of the mean scores over all trainings; its error is that of seeds and of
test items together (`pipeline.scoring.effects`). Two things can be found, each tested two-sidedly:

- It holds where the row is better than each named one, so the largest p counts (an
  intersection-union test).
- It is refuted where any named row is better, so the smallest p counts, times the number of rows
  (Bonferroni).

The row that decides is the claim's `worse`. Refuted is a finding, not an error.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.errors import UserError
from pipeline.results.boards import Claim, Measured
from pipeline.results.leaderboard import metrics_of, systems_run
from pipeline.results.trainings import Trainings, rows_named, trainings_of
from pipeline.results.verdicts import conclude
from pipeline.scoring.clusters import same_items
from pipeline.scoring.effects import SIGNIFICANT, Effect, Resampled
from pipeline.storage.shapes import read_shaped
from pipeline.suite.schema import ClaimSettings, Suite

Reader = Callable[[Suite, str, str], Trainings]


def judge_all(suite: Suite) -> list[Claim]:
    """Every claim with its verdict, as leaderboards/claims.json lists them.

    One that names a system which has not been run is left out; see `leaderboard.systems_run`.
    """
    return conclude(suite, measure(suite, trainings_of))


def restated_all(suite: Suite, judged: Sequence[Claim]) -> list[Claim]:
    """The claims that are judged, made anew but for what was measured, in the suite's order.

    What nobody has judged is left out, and so is a claim that the suite does not state.
    """
    return conclude(suite, {claim["id"]: claim for claim in judged})


def read_claims(suite: Suite) -> list[Claim]:
    """The claims as they were judged. Raises UserError for a file of another shape."""
    return read_shaped(suite.places.claims, list[Claim])


def measure(suite: Suite, read: Reader) -> dict[str, Measured]:
    """What the trainings that `read` gives of a row say about each claim, by the claim's id.

    Clusters are resampled once for all claims about a track's metric. Raises UserError where a row
    lacks the metric, or where rows have statistics of different items.
    """
    standings = [standing for claims in _by_metric(suite)
                 for standing in _standings(suite, claims, read)]
    tested = sum(standing.tested for standing in standings)
    return {standing.claim.id: standing.measured(tested) for standing in standings}


@dataclass(frozen=True)
class _Standing:
    """A claim against the row that decides it; `seeds` is the smallest number of all its rows."""

    claim: ClaimSettings
    worse: str
    values: dict[str, float]
    effect: Effect
    p: float
    seeds: int | None
    wins: float

    @property
    def tested(self) -> bool:
        """Whether it is one of those that are tested together."""
        return self.effect.testable and self.seeds != 1

    def measured(self, tested: int) -> Measured:
        """As it is stored; `tested` is the number of claims that are tested together."""
        effect = self.effect
        low, high = effect.interval() if effect.testable else (None, None)
        found = self.tested and effect.error > 0
        return {
            "worse": self.worse, "values": self.values, "effect": effect.value,
            "low": low, "high": high, "p": self.p if effect.testable else None,
            "seeds": self.seeds, "clusters": effect.clusters, "wins": self.wins,
            # The level of Holm's first step, the strictest: the claim may be the only true one.
            "detectable": effect.detectable(SIGNIFICANT / tested) if found else None}


def _by_metric(suite: Suite) -> Iterator[list[ClaimSettings]]:
    """The claims whose systems have been run, in groups about one metric of one track."""
    groups: dict[tuple[str, str], list[ClaimSettings]] = {}
    for claim in suite.claims:
        if not _rows_not_run(suite, claim.track).intersection(rows_named(claim)):
            groups.setdefault((claim.track, claim.metric), []).append(claim)
    yield from groups.values()


def _rows_not_run(suite: Suite, track: str) -> set[str]:
    run = systems_run(suite, track)
    return {row for key in suite.systems_of(track) if key not in run
            for row in suite.rows_of(key).values()}


def _standings(suite: Suite, claims: Sequence[ClaimSettings], read: Reader) -> Iterator[_Standing]:
    track, name = claims[0].track, claims[0].metric
    metric = metrics_of(suite, track)[name]
    rows = {row: read(suite, track, row)
            for row in dict.fromkeys(row for claim in claims for row in rows_named(claim))}
    scores = {row: [statistics.score(metric) for statistics in trainings.statistics]
              for row, trainings in rows.items()}
    for claim in claims:
        _check(claim, claims[0].better, rows, scores)
    resampled = Resampled.of(rows, metric, suite.resamples, suite.seed)
    for claim in claims:
        yield _standing(claim, resampled, {row: float(np.mean(scores[row]))
                                           for row in rows_named(claim)})


def _check(claim: ClaimSettings, first: str, rows: Mapping[str, Trainings],
           scores: Mapping[str, Sequence[float]]) -> None:
    for row in rows_named(claim):
        if not all(map(math.isfinite, scores[row])):
            raise UserError(f"claim {claim.id!r}: row {row!r} has no {claim.metric}, because its "
                            "test set has no items for it; name another metric in params.yaml")
        if not same_items([*rows[first].statistics, *rows[row].statistics]):
            raise UserError(f"claim {claim.id!r}: rows {first!r} and {row!r} have statistics of "
                            "other items; run 'dvc repro', which evaluates the older one again")
    for one, other in itertools.combinations(rows_named(claim), 2):
        if (rows[one].system == rows[other].system
                and list(rows[one].seeds) != list(rows[other].seeds)):
            raise UserError(f"claim {claim.id!r}: rows {one!r} and {other!r} are answers of the "
                            "same networks and have trainings from other seeds; run 'unrolled "
                            "spread', which completes them")


def _standing(claim: ClaimSettings, resampled: Resampled, values: dict[str, float]) -> _Standing:
    effects = {row: resampled.effect(_weights(claim, row)) for row in claim.worse}
    worse, p = deciding({row: (effect.value, effect.p) for row, effect in effects.items()})
    seeds = [effect.seeds for effect in effects.values() if effect.seeds is not None]
    return _Standing(claim, worse, values, effects[worse], p, min(seeds, default=None),
                     resampled.wins(_weights(claim, worse)))


def deciding(effects: Mapping[str, tuple[float, float]]) -> tuple[str, float]:
    """Which of the rows decides a claim, and the claim's p, from each row's (effect, p).

    While the claimed row is behind none, that is the row with the largest p. Otherwise the claim
    can only be refuted, by the row with the smallest p of those that are ahead. Of equal p (where
    nothing can be tested, it is 1) the row that does best decides.
    """
    ahead = [row for row, (effect, _) in effects.items() if effect < 0]
    if not ahead:
        worse = max(effects, key=lambda row: (effects[row][1], -effects[row][0]))
        return worse, effects[worse][1]
    worse = min(ahead, key=lambda row: (effects[row][1], effects[row][0]))
    return worse, min(1.0, len(effects) * effects[worse][1])


def _weights(claim: ClaimSettings, worse: str) -> dict[str, float]:
    """Of rows in the claim's effect; a row that stands on both sides of a contrast cancels."""
    signed = [(claim.better, 1.0), (worse, -1.0)]
    if claim.contrast is not None:
        signed += [(claim.contrast.better, -1.0), (claim.contrast.worse, 1.0)]
    weights: dict[str, float] = {}
    for row, weight in signed:
        weights[row] = weights.get(row, 0.0) + weight
    return weights
