"""M4's measures. OWA is a ratio of averages over series, never an average of ratios.

sMAPE is in percent and at most 200. MASE divides by the error that the seasonal naive forecast
makes within the past, so that it has no unit. The overall weighted average is half of the mean
sMAPE over Naive2's mean sMAPE plus half of the mean MASE over Naive2's mean MASE. Prediction
intervals are scored by their width and by how far the future lies outside them (MSIS), and by how
often it does; systems that give none have no such score.

Source: Makridakis, Spiliotis and Assimakopoulos 2020, sections 2.4 and 2.5; the interval score is
Gneiting and Raftery's (2007).
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.scores import ItemStatistics, Metric, percentage, ratio

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


def _owa(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half of sMAPE / Naive2's sMAPE plus half of MASE / Naive2's MASE; the counts cancel."""
    return 0.5 * (ratio(sums[..., [0, 1]]) + ratio(sums[..., [2, 3]]))


METRICS: dict[str, Metric] = {
    "owa": Metric("lower", ("smape", "naive2_smape", "mase", "naive2_mase"), _owa,
                  "overall weighted average: sMAPE and MASE relative to Naive2's", decimals=3),
    "smape": Metric("lower", ("smape", "series"), ratio, "symmetric mean absolute percentage error",
                    decimals=3),
    "mase": Metric("lower", ("mase", "series"), ratio,
                   "mean absolute error scaled by the seasonal naive error of the past",
                   decimals=3),
    "msis": Metric("lower", ("msis", "series"), ratio,
                   "mean scaled interval score of the 95 % prediction intervals", decimals=2),
    "coverage": Metric("nearer", ("covered", "points"), percentage,
                       "percentage of future points within the 95 % prediction intervals",
                       decimals=1, target=100 * LEVEL),
}


def statistics(ids: list[str], forecasts: Array, futures: Array, naive2: Array,
               scales: Array) -> ItemStatistics:
    """Errors of forecasts [series, h] beside those of Naive2; `scales` has shape [series]."""
    return ItemStatistics(ids, {
        "smape": smape(futures, forecasts),
        "mase": mase(futures, forecasts, scales),
        "naive2_smape": smape(futures, naive2),
        "naive2_mase": mase(futures, naive2, scales),
        "series": np.ones(len(ids)),
    })


def interval_statistics(low: Array, high: Array, futures: Array,
                        scales: Array) -> dict[str, Array]:
    """What intervals [series, h] add to the statistics of their forecasts."""
    return {
        "msis": scaled_interval_score(futures, low, high, scales),
        "covered": np.sum((low <= futures) & (futures <= high), axis=-1, dtype=np.float64),
        "points": np.full(len(futures), float(futures.shape[-1])),
    }
