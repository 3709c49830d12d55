"""Clusters of test items, and what resampling them with replacement gives.

Items that were produced together (a speaker's utterances, a document's sentences, neighbours in a
running text) are no independent evidence, so the bootstrap draws whole clusters. Each metric is
computed from the drawn clusters' sums (see `pipeline.scoring.scores`), so corpus-level metrics such
as BLEU, WER and OWA are resampled as what they are. Two rules hold wherever clusters are drawn:

- Clusters that hold nothing which a metric is about (no long sentence, for BLEU of long sentences)
  are no evidence and are not drawn.
- A resample that has no score (a correlation of equal numbers) is left out. Where more than one in
  twenty has none, the test set is too small for the metric, and nothing is said of its error.

Sources: Efron and Tibshirani 1993; Cameron, Gelbach and Miller 2008, the bootstrap over clusters,
and that it fails with few of them.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.scores import ItemStatistics

FEWEST_CLUSTERS = 5
_MOST_WITHOUT_SCORE = 0.05
_CHUNK_CELLS = 4_000_000


def cluster_sums(statistics: ItemStatistics, columns: tuple[str, ...]) -> NDArray[np.float64]:
    """The columns' sums over each cluster, shape [clusters, columns], in the clusters' order.

    Raises ValueError when there are no items.
    """
    if not statistics.ids:
        raise ValueError("no items to resample")
    numbers: dict[str, int] = {}
    of_item = [numbers.setdefault(group, len(numbers)) for group in statistics.groups]
    sums = np.zeros((len(numbers), len(columns)))
    np.add.at(sums, of_item, statistics.table(columns))
    return sums


def evidence(sums: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which clusters hold anything that a metric is about; `sums` [clusters, its columns]."""
    held: NDArray[np.bool_] = np.any(sums != 0, axis=1)
    return held


def resampled_sums(sums: NDArray[np.float64], resamples: int,
                   seed: int) -> Iterator[NDArray[np.float64]]:
    """Sums over resampled clusters, in chunks of shape [some resamples, columns].

    The number of clusters and the seed alone decide what is drawn, so rows that are resampled side
    by side, or one after another, meet the same resamples.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    clusters = len(sums)
    chunk = max(1, _CHUNK_CELLS // clusters)
    for start in range(0, resamples, chunk):
        size = min(chunk, resamples - start)
        draws = generator.integers(0, clusters, size=(size, clusters))
        draws += np.arange(size)[:, None] * clusters
        counts = np.bincount(draws.ravel(), minlength=size * clusters)
        yield counts.reshape(size, clusters).astype(np.float64) @ sums


def with_score(scores: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The resamples' scores without those that are none; None where too many are none."""
    known = scores[np.isfinite(scores)]
    return known if len(known) >= (1 - _MOST_WITHOUT_SCORE) * len(scores) else None


def same_items(statistics: Sequence[ItemStatistics]) -> bool:
    """Whether all are about the same items of the same clusters, in the same order."""
    first = statistics[0]
    return all((one.ids, one.groups) == (first.ids, first.groups) for one in statistics)
