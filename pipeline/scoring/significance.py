"""The one bootstrap of the project: intervals, and the paired test behind every claim.

Items (sentences, utterances, series) are resampled with replacement; a metric is computed from the
resampled sums (see `pipeline.scoring.scores`), so corpus-level metrics such as BLEU, WER and OWA
are resampled as what they are. Method: Efron and Tibshirani 1993; paired use in language
processing: Koehn 2004, "Statistical Significance Tests for Machine Translation Evaluation".
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.scores import ItemStatistics, Metric

_CHUNK_CELLS = 4_000_000


def resampled_counts(items: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each item is drawn, in chunks of shape [some resamples, items]."""
    generator = np.random.Generator(np.random.PCG64(seed))
    chunk = max(1, _CHUNK_CELLS // items)
    for start in range(0, resamples, chunk):
        size = min(chunk, resamples - start)
        draws = generator.integers(0, items, size=(size, items))
        offsets = np.arange(size)[:, None] * items
        counts = np.bincount((draws + offsets).ravel(), minlength=size * items)
        yield counts.reshape(size, items).astype(np.float64)


def resampled_scores(pairs: list[tuple[ItemStatistics, Metric]], resamples: int,
                     seed: int) -> NDArray[np.float64]:
    """Scores of several (statistics, metric) pairs on the same resampled items.

    Returns shape [len(pairs), resamples]. Raises ValueError when the pairs are not about the same
    items in the same order, since a paired comparison of different items means nothing.
    """
    ids = pairs[0][0].ids
    if any(statistics.ids != ids for statistics, _ in pairs):
        raise ValueError("a paired bootstrap needs the same items in the same order")
    if not ids:
        raise ValueError("no items to resample")
    tables = [statistics.table(metric.columns) for statistics, metric in pairs]
    scores = [
        np.stack([metric.value(counts @ table)
                  for table, (_, metric) in zip(tables, pairs, strict=True)])
        for counts in resampled_counts(len(ids), resamples, seed)
    ]
    return np.concatenate(scores, axis=1)


def intervals(statistics: ItemStatistics, metrics: dict[str, Metric], resamples: int,
              seed: int) -> dict[str, tuple[float, float]]:
    """95 % percentile interval of each metric."""
    names = list(metrics)
    scores = resampled_scores([(statistics, metrics[name]) for name in names], resamples, seed)
    low, high = np.nanpercentile(scores, [2.5, 97.5], axis=1)
    return {name: (float(low[i]), float(high[i])) for i, name in enumerate(names)}


def paired_p_values(better: ItemStatistics, worse: ItemStatistics, metric: Metric, resamples: int,
                    seed: int) -> tuple[float, float]:
    """One-sided p values that `better` is not better, and that `worse` is not better.

    Each is the share of resamples in which the named system does not win (ties count against
    it), with one added to both counts so that no p value is zero (Davison and Hinkley 1997, 4.2).
    """
    scores = resampled_scores([(better, metric), (worse, metric)], resamples, seed)
    gain = metric.gain(scores[0], scores[1])
    p_claimed = (np.count_nonzero(~(gain > 0)) + 1) / (resamples + 1)
    p_opposite = (np.count_nonzero(~(gain < 0)) + 1) / (resamples + 1)
    return float(p_claimed), float(p_opposite)
