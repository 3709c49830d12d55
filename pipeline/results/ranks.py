"""Ranks that rows share: a place is won by a difference that is more than luck.

A row's rank is one more than the number of rows that are significantly better: two-sided, by
seeds and by clusters of items (`pipeline.scoring.effects`), with Holm's correction over all pairs
of the track's own rows. So rows that nothing tells apart have the same rank, and a row can have
that of one which it beats by luck. A row that was trained once is compared by items alone, and the
page says so. Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from statsmodels.stats.multitest import multipletests

from pipeline.errors import UserError
from pipeline.results.trainings import Trainings
from pipeline.scoring.effects import FEWEST_CLUSTERS, Effect, Term, measure
from pipeline.scoring.scores import Metric

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Ranks:
    """Ranks by row, or why there are none."""

    by_row: Mapping[str, int]
    reason: str | None = None


def ranks(rows: Sequence[Trainings], metric: Metric, resamples: int, seed: int) -> Ranks:
    """Ranks of the rows of a track. Raises UserError for rows with statistics of other items."""
    clusters = min((_clusters(row, metric) for row in rows), default=0)
    if clusters < FEWEST_CLUSTERS:
        return Ranks({}, f"the test items come from {clusters} clusters, and fewer than "
                         f"{FEWEST_CLUSTERS} tell nothing of others") if rows else Ranks({})
    effect_of = _effects(rows, metric, resamples, seed)
    pairs = list(combinations([row.row for row in rows], 2))
    effects = [effect_of({one: 1.0, other: -1.0}) for one, other in pairs]
    ahead = dict.fromkeys([row.row for row in rows], 0)
    p_values = adjusted([effect.p for effect in effects])
    for (one, other), effect, p in zip(pairs, effects, p_values, strict=True):
        if p < SIGNIFICANT:
            ahead[other if effect.value > 0 else one] += 1
    return Ranks({row: 1 + better for row, better in ahead.items()})


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Holm's p values: of a family without effects any is below a level that often at most."""
    if not p_values:
        return []
    found: list[float] = multipletests(p_values, method="holm")[1].tolist()
    return found


def _effects(rows: Sequence[Trainings], metric: Metric, resamples: int,
             seed: int) -> Callable[[Mapping[str, float]], Effect]:
    """What gives the weighted effect of rows by their names."""
    by_name = {row.row: row for row in rows}
    first = rows[0]

    def effect(weights: Mapping[str, float]) -> Effect:
        terms = [Term(weight, by_name[row].system, by_name[row].statistics,
                      by_name[row].deterministic) for row, weight in weights.items()]
        return measure(terms, metric, resamples, seed)

    for row in rows:
        if any((found.ids, found.groups) != (first.statistics[0].ids, first.statistics[0].groups)
               for found in row.statistics):
            raise UserError(f"rows {first.row!r} and {row.row!r} have statistics of other items; "
                            "run 'dvc repro', which evaluates the older one again")
    return effect


def _clusters(row: Trainings, metric: Metric) -> int:
    """How many clusters of items hold anything that the metric is about."""
    items = row.statistics[0]
    table = items.table(metric.columns)
    return len({group for group, sums in zip(items.groups, table, strict=True) if sums.any()})
