"""The classical methods of M4, each for a series by itself: points and limits.

A module without PyTorch, because worker processes import it; and late, because statsforecast takes
a second to import.
"""

import warnings
from collections.abc import Sequence
from functools import partial
from typing import Literal

import numpy as np
from statsforecast.theta import auto_theta, forecast_theta

from pipeline.tasks.forecast.shared.measures import Array
from pipeline.tasks.forecast.shared.seasonality import Adjusted, seasonal_naive
from pipeline.tasks.forecast.shared.state_space import REACHES, Found, Model, Series, attempt
from pipeline.workers import workers

Estimated = Literal["ses", "holt", "damped", "theta", "ets"]

_SMOOTHED = {"ses": Model("ANN"), "holt": Model("AAN"), "damped": Model("AAN", damped=True)}
_SERIES_AT_ONCE = 200


def naive(past: Array, period: int, horizon: int) -> Array:
    """The last season again and again, [3, h]; limits from the errors of doing so.

    The error of k seasons ahead is a sum of k independent ones. A series no longer than a season
    is forecast by its last point, and so are its errors made.
    """
    lag = period if len(past) > period else 1
    errors = past[lag:] - past[:-lag]
    deviation = np.sqrt(np.mean(errors**2)) if len(errors) else 0.0
    seasons = np.arange(horizon) // lag + 1
    return seasonal_naive(past, period, horizon) + REACHES * deviation * np.sqrt(seasons)


def estimates(pasts: Sequence[Array], adjusted: Sequence[Adjusted], methods: Sequence[Estimated],
              period: int, ets: str, processes: int) -> dict[str, tuple[Array, list[str]]]:
    """By method, points and limits [3, series, h], NaN where a series cannot be estimated.

    And for each series the name of the model that made them where it is another than the method's
    own, else "". ETS, with `ets` as its code of error, trend and season, sees the pasts themselves;
    all others see them `adjusted`, and the season is put back.
    """
    if not methods:
        return {}
    one = partial(_of_one, methods=methods, period=period, ets=ets)
    if processes == 1:
        found = list(map(one, pasts, adjusted))
    else:
        with workers(processes, "forkserver") as pool:
            found = list(pool.map(one, pasts, adjusted, chunksize=_SERIES_AT_ONCE))
    return {method: (np.stack([one[place].values for one in found], axis=1),
                     [one[place].model for one in found])
            for place, method in enumerate(methods)}


def _of_one(past: Array, adjusted: Adjusted, methods: Sequence[Estimated], period: int,
            ets: str) -> list[Found]:
    """What each of the methods finds."""
    horizon = len(adjusted.indices)
    raw = Series(past, period)
    # Without a season SES, Holt and Damped are among the models that ETS chooses from.
    smoothed = raw if period == 1 else Series(adjusted.values, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [
            raw.best_forecast(ets, horizon) if method == "ets" else _with_season(method, adjusted, (
                Found(_theta(adjusted.values, horizon)) if method == "theta"
                else smoothed.forecast(_SMOOTHED[method], horizon)))
            for method in methods]


def _with_season(method: str, adjusted: Adjusted, found: Found) -> Found:
    """The season put back, or said that it was never taken out."""
    model = f"{found.model or method} without season" if adjusted.unadjusted else found.model
    return Found(adjusted.indices * found.values, model)


def _theta(values: Array, horizon: int) -> Array:
    """Theta with theta 2, which is SES with drift: an error moves all later forecasts by alpha.

    The first three residuals come from the guess that the level begins with.

    Source: Fiorucci et al. 2016, "Models for optimising the theta method", section 2.
    """
    estimate = attempt(lambda: auto_theta(values, 1, model="STM"))
    if estimate is None:
        return np.full((3, horizon), np.nan)
    residuals = estimate["residuals"][3:]
    deviation = np.std(residuals, ddof=1) if len(residuals) > 1 else np.nan
    moved = np.arange(horizon) * estimate["par"]["alpha"] ** 2
    return forecast_theta(estimate, horizon)["mean"] + REACHES * deviation * np.sqrt(1 + moved)
