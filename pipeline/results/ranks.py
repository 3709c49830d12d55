"""Ranks that rows share: a place is won by a difference that is more than luck.

A row's rank is one more than the number of rows that are significantly better: two-sided, by
seeds and by clusters of items (`pipeline.scoring.effects`), with Holm's correction over all pairs
of the track's own rows. So rows that nothing tells apart have the same rank, and a row can have
that of one which it beats by luck. A row that was trained once is compared by items alone, and the
page says so. Source: Holm 1979, "A simple sequentially rejective multiple test procedure".

Where a track has divisions (`pipeline.results.divisions`), only rows of one division are compared,
and a row that is alone in its division is its first. Holm's correction is still over all compared
pairs of the track together: a page is read as a whole, so one page in twenty may have a rank that
is luck, however many divisions it has. A family for each division would make that one in twenty for
each of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from pipeline.errors import UserError
from pipeline.results.markdown import counted
from pipeline.results.trainings import Trainings
from pipeline.scoring.clusters import FEWEST_CLUSTERS
from pipeline.scoring.effects import SIGNIFICANT, Resampled, holm
from pipeline.scoring.scores import Metric


@dataclass(frozen=True)
class Ranks:
    """Ranks by row, or why there are none."""

    by_row: Mapping[str, int]
    reason: str | None = None


def ranks(rows: Sequence[Trainings], metric: Metric, resamples: int, seed: int,
          divisions: Mapping[str, str | None] | None = None) -> Ranks:
    """Ranks of the rows of a track, in each of its `divisions`, which are given by row.

    Rows that `divisions` does not name are of one division. Raises UserError for rows with
    statistics of other items.
    """
    division = divisions or {}
    if not rows:
        return Ranks({})
    resampled = _resampled(rows, metric, resamples, seed)
    if resampled.clusters < FEWEST_CLUSTERS:
        return Ranks({}, f"the test items come from {counted(resampled.clusters, 'group')}, and "
                         f"fewer than {FEWEST_CLUSTERS} tell nothing of others")
    pairs = [(one, other) for one, other in combinations([row.row for row in rows], 2)
             if division.get(one) == division.get(other)]
    effects = [resampled.effect({one: 1.0, other: -1.0}) for one, other in pairs]
    ahead = dict.fromkeys([row.row for row in rows], 0)
    p_values = holm([effect.p for effect in effects])
    for (one, other), effect, p in zip(pairs, effects, p_values, strict=True):
        if p < SIGNIFICANT:
            ahead[other if effect.value > 0 else one] += 1
    return Ranks({row: 1 + better for row, better in ahead.items()})


def _resampled(rows: Sequence[Trainings], metric: Metric, resamples: int, seed: int) -> Resampled:
    try:
        return Resampled.of({row.row: row for row in rows}, metric, resamples, seed)
    except ValueError:
        raise UserError(f"rows {', '.join(row.row for row in rows)} have statistics of different "
                        "items; run 'dvc repro', which evaluates the older ones again") from None
