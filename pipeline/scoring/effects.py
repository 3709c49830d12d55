"""The test behind every claim: is an effect more than the luck of seeds and of test items?

A row's score moves for two reasons that have nothing to do with a claim: its training began from
another seed, and the test set could have held other items. Their variances are estimated apart and
added:

- Seeds: the variance of the scores of several trainings, divided by their number, for each system.
  Rows of one system (greedy and beam search of the same networks) are combined training by
  training, so what a seed does to both of them cancels. The degrees of freedom are those of the
  system that was trained least often. A system that comes out the same from every seed adds none.
- Items: a bootstrap over clusters of them (`pipeline.scoring.clusters`). All rows and all trainings
  meet the same resamples, so what is hard for all of them cancels; a row's score in a resample is
  the mean over its trainings. The variance over resamples of n clusters is (n - 1)/n of that
  over test sets, which is made good.

What a seed does to single items counts in both, so their sum errs on the safe side. How far an
effect can be off for both reasons together, `pipeline.scoring.two_sources` says.

The luck of seeds is taken as normal. Where a training either fails or succeeds, as in learning to
add, a handful of seeds that agree tells little of how often others would: of simulated suites of 74
claims between rows that all fail half the time, a fifth decides something with five seeds.

Effects that are tested together are adjusted by Holm's method (`holm`): where none of a family is
true, one in twenty families decides something, however the effects depend on each other.

A percentile bootstrap over seeds will not do: five seeds against five lie wholly apart by chance in
0.8 % of null cases, and it then gives the smallest p that it has.

Sources: Bouthillier et al. 2021, "Accounting for Variance in Machine Learning Benchmarks", why
seeds and items both count; Holm 1979, "A simple sequentially rejective multiple test procedure".
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray
from statsmodels.stats.multitest import multipletests

from pipeline.scoring.clusters import (
    FEWEST_CLUSTERS,
    cluster_sums,
    evidence,
    resampled_sums,
    same_items,
    with_score,
)
from pipeline.scoring.scores import ItemStatistics, Metric
from pipeline.scoring.two_sources import quantile, smallest_found, tail

SIGNIFICANT = 0.05
# Equal scores differ by this part of themselves at most, because of how their sums are rounded.
_ROUNDING = 1e-12


class Trained(Protocol):
    """A row's trainings: its statistics of the test items in each, and whose networks they are.

    Rows of one `system` are answers of the same networks, its trainings in the same order. A
    `deterministic` row has one training, which any other would equal.
    """

    @property
    def system(self) -> str: ...
    @property
    def statistics(self) -> Sequence[ItemStatistics]: ...
    @property
    def deterministic(self) -> bool: ...


@dataclass(frozen=True)
class Effect:
    """How much better one side is, and how far that can be trusted.

    `value` is in the metric's unit, positive where the better side is better. `seeds` is the
    number of trainings of the row that was trained least often, None where all are deterministic.
    Where it is 1, `seed_variance` is 0 because nothing is known of it: p and interval are by items
    alone. `cluster_variance` is infinite where too many resamples have no score.
    """

    value: float
    seed_variance: float
    cluster_variance: float
    seeds: int | None
    clusters: int

    @property
    def one_training(self) -> bool:
        """Whether some row was trained once, so that nothing is known of its seeds."""
        return self.seeds == 1

    @property
    def testable(self) -> bool:
        """Whether there are clusters enough, with scores, for a p and an interval."""
        return self.clusters >= FEWEST_CLUSTERS and math.isfinite(self.cluster_variance)

    @property
    def error(self) -> float:
        """Standard error."""
        return math.sqrt(self.seed_variance + self.cluster_variance)

    @property
    def p(self) -> float:
        """Two-sided, that there is no effect; 1 where that cannot be tested.

        Where neither seeds nor resamples move it, all clusters say the same, and p is the chance
        that so many all fall on one side (a sign test).
        """
        if self.value == 0 or not self.testable:
            return 1.0
        if self.error == 0:
            return 2.0 ** (1 - self.clusters)
        return 2 * tail(abs(self.value), self._variances, self._freedoms)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The confidence interval of the effect; it reaches everywhere where none is testable."""
        if not self.testable:
            return -math.inf, math.inf
        reach = quantile((1 + level) / 2, self._variances, self._freedoms)
        return self.value - reach, self.value + reach

    def detectable(self, significance: float, power: float = 0.8) -> float:
        """The smallest effect that a two-sided test at `significance` finds with chance `power`.

        True variances are taken to be as estimated, and a repetition to estimate them anew.
        Infinite where nothing can be tested.
        """
        if not self.testable:
            return math.inf
        return smallest_found(significance, power, self._variances, self._freedoms)

    @property
    def _variances(self) -> tuple[float, float]:
        return self.seed_variance, self.cluster_variance

    @property
    def _freedoms(self) -> tuple[int, int]:
        return max(1, (self.seeds or 0) - 1), max(1, self.clusters - 1)


@dataclass(frozen=True)
class _Row:
    """Merits are scores of which the greater is the better one: those of the trainings over all
    items, shape [trainings], and the trainings' mean in each resample, shape [resamples]."""

    system: str
    deterministic: bool
    merits: NDArray[np.float64]
    resampled: NDArray[np.float64]


@dataclass(frozen=True)
class Resampled:
    """Rows whose clusters were resampled together, once, for any number of effects among them.

    `clusters` counts those that hold anything which the metric is about, in any of the rows;
    `largest` is the largest merit, by which rounding is told.
    """

    rows: Mapping[str, _Row]
    clusters: int
    largest: float

    @classmethod
    def of(cls, rows: Mapping[str, Trained], metric: Metric, resamples: int, seed: int) -> Self:
        """Resample the test items' clusters for all rows and all their trainings.

        Raises ValueError when the rows are not about the same items in the same order.
        """
        trainings = [one for row in rows.values() for one in row.statistics]
        if not same_items(trainings):
            raise ValueError("an effect needs the same items of the same clusters, in the same "
                             "order, in every training")
        sums = np.stack([cluster_sums(one, metric.columns) for one in trainings], axis=1)
        clusters, width, columns = sums.shape
        sums = sums[evidence(sums.reshape(clusters, -1))]
        ends = np.cumsum([len(row.statistics) for row in rows.values()])[:-1]
        drawn = (_means(_merits(metric, chunk.reshape(-1, width, columns)), ends)
                 for chunk in resampled_sums(sums.reshape(len(sums), -1), resamples, seed))
        resampled = np.concatenate(list(drawn), axis=1)
        merits = _merits(metric, sums.sum(axis=0))
        found = {name: _Row(row.system, row.deterministic, own, means) for (name, row), own, means
                 in zip(rows.items(), np.split(merits, ends), resampled, strict=True)}
        return cls(found, len(sums), float(np.abs(merits).max()))

    def effect(self, weights: Mapping[str, float]) -> Effect:
        """The weighted sum of rows' merits, each the mean over its trainings.

        A weight is 1 for a row that is said to be better and -1 for one that is said to be worse.
        Raises ValueError when they do not add up to zero, or when rows of one system were not
        trained equally often.
        """
        if sum(weights.values()) != 0:
            raise ValueError("the weights of an effect add up to zero")
        trained = [scores for system, scores in self._by_system(weights).items()
                   if system is not None]
        seeds = min(map(len, trained), default=None)
        variance = sum(self._variance(scores) / len(scores) for scores in trained) \
            if seeds != 1 else 0.0
        drawn = with_score(sum((weight * self.rows[row].resampled
                                for row, weight in weights.items()), np.zeros(1)))
        value = sum(weight * float(self.rows[row].merits.mean())
                    for row, weight in weights.items())
        by_items = math.inf if drawn is None else self._variance(drawn) * (
            self.clusters / max(1, self.clusters - 1))
        return Effect(value, variance, by_items, seeds, self.clusters)

    def wins(self, weights: Mapping[str, float]) -> float:
        """The share of seeds in which the better side is better, a tie counting half.

        Every training of one system meets every training of another; rows of one system are
        compared within each of its trainings.
        """
        sums = _totals(self._by_system(weights).values())
        near = np.abs(sums) <= _ROUNDING * self.largest
        return float(np.where(near, 0.5, sums > 0).mean())

    def _by_system(self, weights: Mapping[str, float]) -> dict[str | None, NDArray[np.float64]]:
        """Each system's weighted merits, [trainings]; deterministic ones together under None."""
        together: dict[str | None, NDArray[np.float64]] = {}
        for name, weight in weights.items():
            row = self.rows[name]
            system = None if row.deterministic else row.system
            own = weight * row.merits
            if system in together and together[system].shape != own.shape:
                raise ValueError(f"rows of {system!r} were not trained equally often")
            together[system] = together.get(system, np.zeros(1)) + own
        return together

    def _variance(self, values: NDArray[np.float64]) -> float:
        """That of a sample; what is no more than rounding is none."""
        variance = float(values.var(ddof=1))
        return variance if math.sqrt(variance) > _ROUNDING * self.largest else 0.0


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values of tests that are made together, adjusted for their number."""
    if not p_values:
        return []
    adjusted: list[float] = multipletests(p_values, method="holm")[1].tolist()
    return adjusted


def _merits(metric: Metric, sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores as numbers of which the greater is the better; constants cancel in an effect."""
    merits: NDArray[np.float64] = metric.gain(metric.value(sums), 0.0)
    return merits


def _means(merits: NDArray[np.float64], ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each row's mean over its trainings: [resamples, trainings of all rows] to [rows, resamples].
    """
    return np.stack([part.mean(axis=1) for part in np.split(merits, ends, axis=1)])


def _totals(parts: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The sums of one value of each part, of all combinations."""
    return np.array([math.fsum(values) for values in itertools.product(*parts)])
