"""How much the errors of each series count in training.

Two halves make OWA, and they see an error e of a series' logarithm differently: it adds about
100 e to the sMAPE and e / s to the MASE, where s is the seasonal naive error of the past relative
to the series' level. Naive2's own means are proportional to the mean of s and to 1. So OWA counts
e by 1 / mean(s) + 1 / s: errors of quiet series more. Trained without it, a model that is shared by
all series follows the restless ones.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from pipeline.tasks.forecast.shared.measures import Array, mase_scale

Weights = Literal["equal", "owa"]

_QUIETEST = 0.1  # of the mean; series that hardly ever move would otherwise count for all


def series_weights(kind: Weights, pasts: Sequence[Array], period: int) -> Array:
    """The weight of each series, [series], on average 1."""
    if kind == "equal":
        return np.ones(len(pasts))
    relative = np.array([mase_scale(np.asarray(past), period) / np.abs(past).mean()
                         if np.any(past) else np.nan for past in pasts])
    usual = np.nanmean(relative) if np.isfinite(relative).any() else 1.0
    relative = np.where(np.isfinite(relative), relative, usual)
    weights = 1 + usual / np.maximum(relative, max(_QUIETEST * usual, np.finfo(float).tiny))
    return weights / weights.mean()
