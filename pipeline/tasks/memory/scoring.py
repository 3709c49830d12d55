"""Scores of answers over all lags, and over each range of lags by itself.

A prediction is `{"id", "answer": a number or the name of a class}`. Numbers are scored by their
mean squared error, classes by accuracy; a track has one kind, so the other's metrics have no items.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.scoring.facets import Facet
from pipeline.scoring.item_clusters import clusters_of
from pipeline.scoring.scores import ItemStatistics, Metric, percentage, ratio
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Number, Prediction, aligned, answer_of

# Each range is from one of these lags to below the next.
_BOUNDS = (1, 4, 8, 16, 32, 64, 128, 256, 1024)
RANGES = {f"lag_{low}_{high - 1}": range(low, high) for low, high in pairwise(_BOUNDS)}


def _metrics(name: str, counted: str, better: Any, value: Any, text: str,
             decimals: int) -> dict[str, Metric]:
    """The metric over all lags and, with a suffix, over each range."""
    metrics = {name: Metric(better, (counted, f"{counted}_items"), value, f"{text}, all lags",
                            decimals=decimals)}
    for part, lags in RANGES.items():
        metrics[f"{name}_{part}"] = Metric(
            better, (f"{counted}_{part}", f"{counted}_items_{part}"), value,
            f"{text}, lags from {lags[0]} to {lags[-1]}", decimals=decimals)
    return metrics


METRICS = {
    **_metrics("mse", "squared_error", "lower", ratio, "mean squared error of the answer", 4),
    **_metrics("accuracy", "correct", "higher", percentage, "right answers in percent", 2),
}
FACETS = {f"lag_{name}": Facet("steps back to the first of what the answer depends on", "steps",
                               "lag", name, _BOUNDS) for name in ("accuracy", "mse")}


def score(predictions: list[Prediction], test: Path) -> ItemStatistics:
    """Errors of each test item. Raises UserError when predictions do not fit the test items."""
    items = read_json(test / "items.json")
    ids = [item["id"] for item in items]
    found = aligned(predictions, ids)
    counted = "correct" if isinstance(items[0]["target"], str) else "squared_error"
    values = np.array([judged(prediction, item["target"])
                       for prediction, item in zip(found, items, strict=True)])
    lags = np.array([item["lag"] for item in items])
    columns = {counted: values, f"{counted}_items": np.ones(len(items)),
               "lag": lags.astype(np.float64)}
    for part, within in RANGES.items():
        inside = (lags >= within.start) & (lags < within.stop)
        columns[f"{counted}_{part}"] = np.where(inside, values, 0.0)
        columns[f"{counted}_items_{part}"] = inside.astype(np.float64)
    return ItemStatistics(ids, columns, clusters_of(test, ids))


def judged(prediction: Prediction, target: float | str) -> float:
    """Squared error of a number, 1 or 0 for a class. Raises UserError for another kind."""
    if isinstance(target, str):
        return float(answer_of(prediction, "answer", str) == target)
    return (answer_of(prediction, "answer", Number) - target) ** 2
