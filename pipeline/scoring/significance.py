"""The interval of a score: 95 %, percentiles of a bootstrap over clusters of test items.

What is drawn, and what is left out of it, `pipeline.scoring.clusters` says. With fewer than five
clusters no interval is given: three speakers can be drawn in ten ways, and an interval of ten
values tells nothing of the speakers who were not recorded. Whether two rows differ is asked
elsewhere (`pipeline.scoring.effects`), since an interval knows nothing of training seeds.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.clusters import (
    FEWEST_CLUSTERS,
    cluster_sums,
    evidence,
    resampled_sums,
    with_score,
)
from pipeline.scoring.scores import ItemStatistics, Metric


def clusters_about(statistics: ItemStatistics, metric: Metric) -> int:
    """How many clusters hold anything that the metric is about."""
    return int(evidence(cluster_sums(statistics, metric.columns)).sum())


def resampled_scores(statistics: ItemStatistics, metrics: Mapping[str, Metric], resamples: int,
                     seed: int) -> dict[str, NDArray[np.float64]]:
    """Each metric's scores of resampled clusters, shape [resamples]; NaN where there is none.

    Metrics about the same clusters meet the same resamples.
    """
    return {name: scores for group in _by_evidence(statistics, metrics)
            for name, scores in _resampled_together(statistics, group, resamples, seed).items()}


def intervals(statistics: ItemStatistics, metrics: Mapping[str, Metric], resamples: int,
              seed: int) -> dict[str, tuple[float, float] | None]:
    """95 % percentile interval of each metric.

    None where fewer than five clusters are about it, or where too many resamples have no score.
    """
    enough = {name: metric for name, metric in metrics.items()
              if clusters_about(statistics, metric) >= FEWEST_CLUSTERS}
    found = resampled_scores(statistics, enough, resamples, seed)
    return {name: _percentiles(found[name]) if name in found else None for name in metrics}


def _percentiles(scores: NDArray[np.float64]) -> tuple[float, float] | None:
    known = with_score(scores)
    if known is None:
        return None
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def _by_evidence(statistics: ItemStatistics,
                 metrics: Mapping[str, Metric]) -> Iterator[dict[str, Metric]]:
    """The metrics in groups that are about the same clusters."""
    groups: dict[bytes, dict[str, Metric]] = {}
    for name, metric in metrics.items():
        about = evidence(cluster_sums(statistics, metric.columns))
        groups.setdefault(about.tobytes(), {})[name] = metric
    yield from groups.values()


def _resampled_together(statistics: ItemStatistics, metrics: Mapping[str, Metric], resamples: int,
                        seed: int) -> dict[str, NDArray[np.float64]]:
    columns = tuple(dict.fromkeys(name for metric in metrics.values() for name in metric.columns))
    places = {name: [columns.index(column) for column in metric.columns]
              for name, metric in metrics.items()}
    sums = cluster_sums(statistics, columns)
    found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in metrics}
    for chunk in resampled_sums(sums[evidence(sums)], resamples, seed):
        for name, metric in metrics.items():
            found[name].append(metric.value(chunk[:, places[name]]))
    return {name: np.concatenate(scores) for name, scores in found.items()}
