"""M4's seasonality: its test, its multiplicative decomposition, and the Naive2 forecast.

The competition's statistical benchmarks first take the season out of a series that has one,
forecast what is left, and put the season back. Test and decomposition are the organisers':
Makridakis, Spiliotis and Assimakopoulos 2020, appendix A.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_CRITICAL = 1.645  # two-sided 90 % of the normal distribution


def autocorrelations(series: Array, lags: int) -> Array:
    """Sample autocorrelations at lags 1 to `lags`, shape [lags]; NaN for a constant series."""
    deviations = series - series.mean()
    with np.errstate(invalid="ignore"):
        return np.array([deviations[lag:] @ deviations[:-lag] for lag in range(1, lags + 1)]
                        ) / (deviations @ deviations)


def is_seasonal(series: Array, period: int) -> bool:
    """Whether the autocorrelation at lag `period` is beyond Bartlett's 90 % limit.

    Fewer than three seasons are never called seasonal, nor is a constant series.
    """
    if period == 1 or len(series) < 3 * period:
        return False
    r = autocorrelations(series, period)
    limit = _CRITICAL * np.sqrt((1 + 2 * np.sum(r[:-1] ** 2)) / len(series))
    return bool(abs(r[-1]) > limit)


def seasonal_indices(series: Array, period: int) -> Array:
    """Multiplicative index of each point, shape [n], by classical decomposition.

    The trend is a centred moving average over one season; an index is the mean ratio of series to
    trend at its place in the season, and indices average one. A trend through zero or an index
    that is not positive has no multiplicative season: all indices are then one.
    """
    n = len(series)
    window = np.full(period, 1.0 / period)
    if period % 2 == 0:
        window = np.convolve(window, [0.5, 0.5])
    half = len(window) // 2
    trend = np.convolve(series, window, mode="valid")
    if np.any(trend == 0):
        return np.ones(n)
    ratios = series[half : half + len(trend)] / trend
    places = np.arange(half, half + len(trend)) % period
    figure = np.bincount(places, ratios, period) / np.bincount(places, minlength=period)
    figure /= figure.mean()
    if not np.all(figure > 0):
        return np.ones(n)
    return figure[np.arange(n) % period]


@dataclass(frozen=True)
class Adjusted:
    """A series without its season: `values` [n], and `indices` [h] that put the season back.

    One whose season is no multiplicative one keeps it, and is `unadjusted`.
    """

    values: Array
    indices: Array
    unadjusted: bool = False


def adjust(series: Array, period: int, horizon: int) -> Adjusted:
    """Take the season out if the test finds one."""
    if not is_seasonal(series, period):
        return Adjusted(series, np.ones(horizon))
    indices = seasonal_indices(series, period)
    return Adjusted(series / indices, np.resize(indices[-period:], horizon),
                    unadjusted=bool(np.all(indices == 1)))


def seasonal_naive(series: Array, period: int, horizon: int) -> Array:
    """The last season again and again, shape [h]; a series shorter than one: its last point."""
    if len(series) < period:
        return np.full(horizon, series[-1])
    return np.resize(series[-period:], horizon)


def naive2(series: Array, period: int, horizon: int) -> Array:
    """M4's reference forecast: the last point without its season, with the season put back."""
    adjusted = adjust(series, period, horizon)
    return adjusted.values[-1] * adjusted.indices
