"""M4's measures of the error of one series' forecast.

sMAPE is in percent and at most 200. MASE divides by the error that the seasonal naive forecast
makes within the past, so that it has no unit. Prediction intervals are scored by their width and
by how far the future lies outside them. Systems are fitted with these; what is made of them over a
test set stands in `metrics`.

Source: Makridakis, Spiliotis and Assimakopoulos 2020, sections 2.4 and 2.5; the interval score is
Gneiting and Raftery's (2007).
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEVEL = 0.95  # of prediction intervals
TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


def smape(actual: Array, forecast: Array) -> Array:
    """Mean of 200|y - f| / (|y| + |f|) over the last axis; zero forecast as zero is no error."""
    size = np.abs(actual) + np.abs(forecast)
    return np.mean(200.0 * np.abs(actual - forecast) / np.where(size == 0, 1.0, size), axis=-1)


def mase(actual: Array, forecast: Array, scale: Array) -> Array:
    """Mean of |y - f| over the last axis, divided by `scale` (shape without that axis)."""
    return np.mean(np.abs(actual - forecast), axis=-1) / scale


def mase_scale(past: Array, period: int) -> float:
    """Mean |y_t - y_{t-m}| within the past; 0 or NaN says that MASE is undefined for it."""
    if len(past) <= period:
        return float("nan")
    return float(np.mean(np.abs(past[period:] - past[:-period])))


def scaled_interval_score(actual: Array, low: Array, high: Array, scale: Array) -> Array:
    """Mean over the last axis of width plus penalty, divided by `scale` (MASE's).

    The penalty is 2 / a times the distance of a point outside its interval, a = 0.05.
    """
    outside = np.maximum(low - actual, 0) + np.maximum(actual - high, 0)
    return np.mean(high - low + 2 / (1 - LEVEL) * outside, axis=-1) / scale
