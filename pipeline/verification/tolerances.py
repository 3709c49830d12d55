"""How far a row's scores may come out otherwise on another machine than its own.

On the processor that a row names, the same commit gives the same bytes. Elsewhere sums are rounded
otherwise, and training multiplies that until the result is as another seed would have made it: so
the score that ranks a row may move by five standard deviations of the row over its seeds. Where
training moves little, or a system comes out the same from every seed, one answer may still tip
over; so a score may always move by what one test item is worth. A row that is trained by gradient
with one seed only was not measured: how far it may move is not known, and its floor alone holds it.

A deviation of five seeds is itself uncertain: between two seeds of such a row chance puts more than
five of them in one case of forty (Student's distribution with four degrees of freedom). So a single
score outside proves nothing, and a verification counts how many of all rows lie there. Five times
as far, where chance puts one of sixteen thousand, nothing of a row may lie.
"""

import statistics
from collections.abc import Mapping
from importlib.metadata import version

import numpy as np

from pipeline.results.boards import BOUNDS
from pipeline.results.leaderboard import metrics_of
from pipeline.results.trainings import is_deterministic, records_of
from pipeline.running.costs import processor
from pipeline.running.trained import key_of
from pipeline.scoring.records import SeedRecord
from pipeline.scoring.scores import ItemStatistics, Metric
from pipeline.suite.schema import Suite
from pipeline.verification.comparison import EXACT

DEVIATIONS = 5
# A resample holds an item up to three times in all but one case of fifty, and a bound of an
# interval is where resamples are unusual.
_OF_BOUNDS = 3
_FAR = 5
# {row: {metric or bound: how far it may move}}
Tolerances = Mapping[str, Mapping[str, float]]


def tolerances(suite: Suite, track: str, found: Mapping[str, ItemStatistics]) -> Tolerances:
    """How far each score and bound of a track's rows may move; rows not measured are left out.

    `found` has the statistics of the test items of the rows that it is asked of.
    """
    metrics = metrics_of(suite, track)
    return {row: _with_bounds({name: _tolerance(metric, items, records, name)
                               for name, metric in metrics.items()
                               if np.isfinite(items.score(metric))})
            for key in suite.systems_of(track) for row in suite.rows_of(key).values()
            if (items := found.get(row)) is not None
            and (len(records := records_of(suite, track, row)) > 1
                 or is_deterministic(suite, key))}


def chance_outside(suite: Suite, track: str, row: str) -> float:
    """How probably two seeds of a row lie further apart than its tolerance, at most.

    The difference of two has sqrt(2) times the deviation that is estimated of all. A system that
    comes out the same from every seed has no such chance.
    """
    from scipy.stats import t

    seeds = len(records_of(suite, track, row))
    if is_deterministic(suite, key_of(suite, row)[0]) or seeds < 2:
        return 0.0
    return float(2 * t.sf(DEVIATIONS / np.sqrt(2), seeds - 1))


def farthest(allowed: Mapping[str, float]) -> dict[str, float]:
    """How far no score or bound of a row with these tolerances may move."""
    return {name: _FAR * allowed[name.partition(", ")[0]] for name in allowed}


def one_items_worth(items: ItemStatistics, metric: Metric) -> float:
    """The largest change of a score when one test item is left out; 0 where none can be."""
    table = items.table(metric.columns)
    total = table.sum(axis=0)
    with np.errstate(all="ignore"):
        changes = np.abs(metric.value(total - table) - metric.value(total))
    return float(np.max(changes, where=np.isfinite(changes), initial=0.0))


def made_here(suite: Suite, where: Mapping[str, object] | None) -> bool:
    """Whether a record or a file of costs names this processor, and this version of PyTorch."""
    return (where is not None and where.get("processor") == processor(suite.device)
            and where.get("torch") in (None, version("torch")))


def deviation(records: Mapping[int, SeedRecord], metric: str) -> float:
    """Sample standard deviation of a metric over seeds; 0 for fewer than two."""
    scores = [record["scores"][metric] for record in records.values()
              if metric in record["scores"]]
    return statistics.stdev(scores) if len(scores) > 1 else 0.0


def _tolerance(metric: Metric, items: ItemStatistics, records: Mapping[int, SeedRecord],
               name: str) -> float:
    return max(DEVIATIONS * deviation(records, name), one_items_worth(items, metric),
               EXACT * abs(items.score(metric)))


def _with_bounds(allowed: Mapping[str, float]) -> dict[str, float]:
    return {**allowed, **{f"{name}, {side} bound": _OF_BOUNDS * value
                          for name, value in allowed.items() for side in BOUNDS}}
