"""Scores of forecasts from their file and the test folder alone."""

from pathlib import Path

import numpy as np

from pipeline.errors import UserError
from pipeline.predictions import Prediction, aligned
from pipeline.scores import ItemStatistics
from pipeline.tasks.forecast.shared.measures import METRICS, statistics
from pipeline.tasks.forecast.shared.storage import load_array, load_ids

__all__ = ["METRICS", "score"]


def score(predictions: list[Prediction], test: Path) -> ItemStatistics:
    """Errors of each series; a prediction is {"id": ..., "forecast": [h numbers]}."""
    ids = load_ids(test)
    futures = load_array(test / "futures.npy")
    ordered = aligned(predictions, ids)
    for prediction in ordered:
        if len(prediction["forecast"]) != futures.shape[1]:
            raise UserError(f"series {prediction['id']!r}: expected a forecast of "
                            f"{futures.shape[1]} points, got {len(prediction['forecast'])}")
    forecasts = np.array([prediction["forecast"] for prediction in ordered], dtype=np.float64)
    return statistics(ids, forecasts, futures, load_array(test / "naive2.npy"),
                      load_array(test / "scales.npy"))
