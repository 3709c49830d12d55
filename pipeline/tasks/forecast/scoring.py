"""Scores of forecasts from their file and the test folder alone."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import UserError
from pipeline.scoring.facets import Facet
from pipeline.scoring.item_clusters import clusters_of
from pipeline.scoring.scores import ItemStatistics
from pipeline.storage.predictions import Number, Prediction, aligned, answer_of
from pipeline.tasks.forecast.shared.measures import Array
from pipeline.tasks.forecast.shared.metrics import METRICS, interval_statistics, statistics
from pipeline.tasks.forecast.shared.storage import load_array, load_ids, load_pasts

__all__ = ["FACETS", "METRICS", "details", "score"]

FACETS = {"past": Facet("length of the past", "points", "past_points", "owa",
                        (1, 21, 31, 41, 61, 101, 201, 401, 801, 1601))}
_MADE_BY = "made by "


def score(predictions: list[Prediction], test: Path) -> ItemStatistics:
    """Errors of each series; a prediction is {"id": ..., "forecast": [h numbers]}.

    Where all have "low" and "high" too, the limits of the 95 % intervals are scored as well. Each
    other "method" that has made a forecast is counted in a column of its own.
    """
    ids = load_ids(test)
    futures = load_array(test / "futures.npy")
    scales = load_array(test / "scales.npy")
    ordered = aligned(predictions, ids)
    items = statistics(ids, _values(ordered, "forecast", futures.shape[1]), futures,
                       load_array(test / "naive2.npy"), scales)
    pasts = np.array([len(past) for past in load_pasts(test)], np.float64)
    items = ItemStatistics(ids, {**items.columns, **_made_by(ordered), "past_points": pasts},
                           clusters_of(test, ids))
    if not any("low" in prediction or "high" in prediction for prediction in ordered):
        return items
    low, high = (_values(ordered, name, futures.shape[1]) for name in ("low", "high"))
    crossed = np.flatnonzero((low > high).any(axis=1))
    if crossed.size:
        raise UserError(f"series {ids[int(crossed[0])]!r}: a lower limit is above the upper one")
    return replace(items, columns=items.columns | interval_statistics(low, high, futures, scales))


def details(statistics: ItemStatistics) -> dict[str, Any]:
    """How many series were answered by another method than the row's own, by that method."""
    found = {name.removeprefix(_MADE_BY): int(column.sum())
             for name, column in statistics.columns.items() if name.startswith(_MADE_BY)}
    return {"replaced": dict(sorted(found.items()))} if found else {}


def _made_by(predictions: list[Prediction]) -> dict[str, Array]:
    names = [prediction.get("method", "") for prediction in predictions]
    return {_MADE_BY + name: np.array([float(one == name) for one in names])
            for name in sorted({*map(str, names)} - {""})}


def _values(predictions: list[Prediction], name: str, horizon: int) -> Array:
    """One list of numbers of each prediction, [series, horizon]."""
    for prediction in predictions:
        found = answer_of(prediction, name, list[Number]) if name in prediction else []
        if len(found) != horizon:
            raise UserError(f"series {prediction['id']!r}: expected a {name!r} of {horizon} "
                            f"points, got {len(found)}; evaluate the system again")
    return np.array([prediction[name] for prediction in predictions], dtype=np.float64)
