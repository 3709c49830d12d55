"""Pasts to learn from, and everything that scoring needs beside a forecast.

Forecasting has no held-out series: the past of every series is training data and its future is
the test. The test folder therefore repeats the pasts (they are the input of a forecast) and adds
the futures, the Naive2 forecast and the MASE scale, so that scoring stands alone.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np

from pipeline.corpora.kinds import Series
from pipeline.entries import FeatureSettings, FilePart
from pipeline.errors import UserError
from pipeline.scoring.item_clusters import alone, write_clusters
from pipeline.storage.files import write_json
from pipeline.tasks.forecast.shared.measures import Array, mase_scale
from pipeline.tasks.forecast.shared.metrics import METRICS, statistics
from pipeline.tasks.forecast.shared.seasonality import naive2
from pipeline.tasks.forecast.shared.storage import fingerprints, save_array, save_pasts
from pipeline.tasks.forecast.shared.values import check_values


class Settings(FeatureSettings):
    """`frequency` is one of the corpus's."""

    READS = ("series", "FREQUENCIES")

    frequency: FilePart

    def reader_problems(self, reader: ModuleType) -> Iterator[str]:
        yield from super().reader_problems(reader)
        known = list(getattr(reader, "FREQUENCIES", {}))
        if known and self.frequency not in known:
            yield f"frequency: no frequency {self.frequency!r}; known: {', '.join(known)}"


def extract(settings: Settings, corpus: Path, reader: ModuleType, fit: Path, test: Path) -> None:
    """Write fit/ (pasts, spec.json) and test/ (pasts, futures, Naive2, scales, ceiling.json)."""
    frequency = reader.FREQUENCIES[settings.frequency]
    period, horizon = frequency.period, frequency.horizon
    series = reader.series(corpus, settings.frequency)
    ids = [one.id for one in series]
    pasts = [one.past for one in series]
    futures = np.stack([one.future for one in series])
    scales = np.array([_scale(one, period) for one in series])
    reference = np.stack([naive2(past, period, horizon) for past in pasts])
    check_values(ids, pasts)
    for directory in (fit, test):
        save_pasts(directory, ids, pasts)
    write_json(fit / "spec.json", {"frequency": settings.frequency, "step": frequency.step,
                                   "period": period, "horizon": horizon, "series": len(series),
                                   "pasts": fingerprints(pasts)})
    save_array(test / "futures.npy", futures)
    save_array(test / "naive2.npy", reference)
    save_array(test / "scales.npy", scales)
    write_clusters(test, alone(ids))
    write_json(test / "ceiling.json", _ceiling(series, ids, futures, reference, scales))


def _scale(series: Series, period: int) -> float:
    scale = mase_scale(series.past, period)
    if not scale > 0:
        raise UserError(f"series {series.id!r}: its past repeats itself every {period} points or "
                        "is no longer than that, so MASE is undefined; remove the series")
    return scale


def _ceiling(series: list[Series], ids: list[str], futures: Array, reference: Array,
             scales: Array) -> dict[str, float]:
    """Scores of the generating process's own forecast, where the corpus knows it.

    It has no intervals, so no score of them.
    """
    known = [one.optimal for one in series if one.optimal is not None]
    if len(known) < len(series):
        return {}
    items = statistics(ids, np.stack(known), futures, reference, scales)
    scores = {name: items.score(metric) for name, metric in METRICS.items()}
    return {name: score for name, score in scores.items() if math.isfinite(score)}
