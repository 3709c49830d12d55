"""The test behind every claim: is an effect more than the luck of seeds and of test items?

A row's score moves for two reasons that have nothing to do with the claim: its training began from
another seed, and the test set could have held other items. Their variances are estimated apart.
That of the seeds comes from the scores of several trainings, that of the items from a bootstrap
over clusters of them (items of one speaker or one document are no independent evidence), in which
all rows and all trainings meet the same resamples, so that what is hard for all of them cancels.
How far the effect can be off for both reasons together, `pipeline.scoring.two_sources` says; the
seeds' degrees of freedom are those of the row that was trained least often.

A percentile bootstrap over seeds will not do: five seeds against five lie wholly apart by chance in
0.8 % of null cases, and it then gives the smallest p that it has.

Sources: Cameron, Gelbach and Miller 2008, the bootstrap over clusters; Bouthillier et al. 2021,
"Accounting for Variance in Machine Learning Benchmarks", why seeds and items both count.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.scores import ItemStatistics, Metric
from pipeline.scoring.significance import resampled_counts
from pipeline.scoring.two_sources import quantile, tail

FEWEST_CLUSTERS = 5


@dataclass(frozen=True)
class Term:
    """A row in an effect: its statistics of the test items over its trainings.

    `weight` is 1 for a row that the claim calls better and -1 for one that it calls worse; the
    weights of an effect add up to zero. Rows with the same `training` are answers of the same
    trained networks, `trainings` in the same order. A `deterministic` row has one training, which
    any other would equal.
    """

    weight: float
    training: str
    trainings: Sequence[ItemStatistics]
    deterministic: bool = False


@dataclass(frozen=True)
class Effect:
    """How much better one side is, and how far that can be trusted.

    `value` is in the metric's unit, positive where the better side is better. `seeds` is the
    number of trainings of the row that was trained least often, None where all are deterministic.
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
    def error(self) -> float:
        """Standard error."""
        return math.sqrt(self.seed_variance + self.cluster_variance)

    @property
    def p(self) -> float:
        """Two-sided, that there is no effect.

        Where neither seeds nor resamples move it, it is the chance that so many clusters all fall
        on one side (a sign test).
        """
        if self.value == 0:
            return 1.0
        if self.error == 0:
            return min(1.0, 2.0 ** (1 - self.clusters))
        return 2 * tail(abs(self.value), self._variances, self._freedoms)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The confidence interval of the effect."""
        reach = quantile((1 + level) / 2, self._variances, self._freedoms)
        return self.value - reach, self.value + reach

    def detectable(self, significance: float, power: float = 0.8) -> float:
        """The smallest effect that a test at `significance` would have found with `power`."""
        return sum(quantile(share, self._variances, self._freedoms)
                   for share in (1 - significance / 2, power))

    @property
    def _variances(self) -> tuple[float, float]:
        return self.seed_variance, self.cluster_variance

    @property
    def _freedoms(self) -> tuple[int, int]:
        return max(1, (self.seeds or 0) - 1), max(1, self.clusters - 1)


def measure(terms: Sequence[Term], metric: Metric, resamples: int, seed: int) -> Effect:
    """The weighted sum of the rows' merits, each the mean over its trainings.

    Clusters are the items' groups. Those that hold nothing which the metric is about, in any row,
    are no evidence and are left out, so that every resample has a score. Raises ValueError when
    the rows are not about the same items in the same order, or when rows of one training were not
    trained equally often.
    """
    _check(terms)
    sums = [_cluster_sums(term, metric) for term in terms]
    about = np.any([part.any(axis=(0, 2)) for part in sums], axis=0)
    sums = [part[:, about] for part in sums]
    values = _by_training(terms, [_merits(metric, part.sum(axis=1)) for part in sums])
    trained = [scores for training, scores in values.items() if training is not None]
    return Effect(
        value=float(sum(scores.mean() for scores in values.values())),
        seed_variance=float(sum(scores.var(ddof=1) / len(scores) for scores in trained
                                if len(scores) > 1)),
        cluster_variance=_cluster_variance(terms, metric, sums, resamples, seed),
        seeds=min(map(len, trained), default=None), clusters=int(about.sum()))


def _check(terms: Sequence[Term]) -> None:
    first = terms[0].trainings[0]
    if any((statistics.ids, statistics.groups) != (first.ids, first.groups)
           for term in terms for statistics in term.trainings):
        raise ValueError("an effect needs the same items of the same clusters, in the same order, "
                         "in every training")
    if sum(term.weight for term in terms) != 0:
        raise ValueError("the weights of an effect add up to zero")


def _cluster_sums(term: Term, metric: Metric) -> NDArray[np.float64]:
    """Shape [trainings, clusters, columns]; clusters in the order of their names."""
    _, cluster = np.unique(np.array(term.trainings[0].groups), return_inverse=True)
    sums = np.zeros((len(term.trainings), cluster.max() + 1, len(metric.columns)))
    for training, statistics in enumerate(term.trainings):
        np.add.at(sums[training], cluster, statistics.table(metric.columns))
    return sums


def _merits(metric: Metric, sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores as numbers of which the greater is the better; constants cancel in an effect."""
    merits: NDArray[np.float64] = metric.gain(metric.value(sums), 0.0)
    return merits


def _by_training(terms: Sequence[Term], merits: Sequence[NDArray[np.float64]]
                 ) -> dict[str | None, NDArray[np.float64]]:
    """The weighted merits of each training's rows together, [trainings, ...]; None: deterministic.

    Rows of one training are combined training by training, so what a seed does to all of them
    cancels.
    """
    together: dict[str | None, NDArray[np.float64]] = {}
    for term, own in zip(terms, merits, strict=True):
        training = None if term.deterministic else term.training
        earlier = together.get(training, 0.0)
        if np.ndim(earlier) and np.shape(earlier) != own.shape:
            raise ValueError(f"rows of {training!r} were not trained equally often")
        together[training] = earlier + term.weight * own
    return together


def _cluster_variance(terms: Sequence[Term], metric: Metric, sums: Sequence[NDArray[np.float64]],
                      resamples: int, seed: int) -> float:
    """Variance of the effect over resamples of the clusters, the same ones for every row."""
    effects = []
    for counts in resampled_counts(sums[0].shape[1], resamples, seed):
        merits = [_merits(metric, np.einsum("rc,tcm->trm", counts, part, optimize=True))
                  for part in sums]
        effects.append(sum(values.mean(axis=0)
                           for values in _by_training(terms, merits).values()))
    return float(np.var(np.concatenate(effects), ddof=1))
