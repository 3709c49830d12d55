"""The classical methods of M4: nine rows that share one preparation.

Naive, sNaive and ETS forecast a series as it is. Naive2, SES, Holt, Damped and Theta forecast it
without its season, which is put back afterwards, and Comb is the mean of SES, Holt and Damped:
the competition's benchmarks (Makridakis, Spiliotis and Assimakopoulos 2020). statsforecast
estimates by maximum likelihood; the protocol around it is in `shared/seasonality.py`. A series too
short for the estimation of a method gets Naive2's forecast (ETS: sNaive's).

The 95 % intervals of SES, Holt, Damped, Theta and ETS are those of their state-space models. Those
of Naive and sNaive follow from the errors that they make within the past, which add up as the
steps of a random walk; Comb's limits are the means of the limits of its three. Where a model has
no interval, that of the method which stands in for it is laid around its forecast. A past without
errors, a single point say, gives an interval of no width.

A method's forecast follows from the past alone, so `fit` makes all of them and they are what is
saved; nothing else of the estimation is kept, and the number of parameters is reported as 0.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pipeline.config import SystemSettings, VariantSettings
from pipeline.predictions import Prediction
from pipeline.system import Run
from pipeline.tasks.forecast.shared.forecasts import (
    Forecaster,
    Forecasts,
    check_finite,
    check_values,
)
from pipeline.tasks.forecast.shared.measures import LEVEL, TAILS, Array
from pipeline.tasks.forecast.shared.seasonality import Adjusted, adjust, seasonal_naive
from pipeline.tasks.forecast.shared.storage import check_series, load_ids, load_pasts

Method = Literal["naive", "snaive", "naive2", "ses", "holt", "damped", "theta", "comb", "ets"]

_COMBINED = ("ses", "holt", "damped")
_ADJUSTED = (*_COMBINED, "theta")
_PERCENT = round(100 * LEVEL)
_NORMAL = np.array([0.0, *map(NormalDist().inv_cdf, TAILS)])[:, None]


class Variant(VariantSettings):
    """One method of the competition."""

    method: Method


class Settings(SystemSettings):
    """`ets` is statsforecast's code of error, trend and season; Z lets AICc choose."""

    ets: str = Field(pattern="^[AMZ][NAMZ][NAMZ]$")
    variants: dict[str, Variant] = Field(min_length=1)


class Statistical(Forecaster):
    """Forecasts of the classical methods by name: [3, series, h], points and both limits."""

    Settings = Settings
    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.forecasts: dict[str, Tensor] = {}

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        wanted = {variant.method for variant in self.settings.variants.values()}
        found = self._forecasts(load_ids(data), load_pasts(data), wanted, run.threads)
        self.forecasts = {method: torch.from_numpy(values) for method, values in found.items()}
        return []

    def forecast(self, ids: Sequence[str], pasts: Sequence[Array],
                 variant: VariantSettings | None) -> Forecasts:
        assert isinstance(variant, Variant)
        return Forecasts(*self._forecasts(ids, pasts, {variant.method}, 1)[variant.method])

    def _forecasts(self, ids: Sequence[str], pasts: Sequence[Array], wanted: set[str],
                   threads: int) -> dict[str, Array]:
        """What each of the `wanted` methods says. Raises UserError where one is not finite."""
        check_values(ids, pasts, positive=False)
        series = [np.asarray(past) for past in pasts]
        period, horizon = self.spec["period"], self.spec["horizon"]
        adjusted = [adjust(past, period, horizon) for past in series]
        found = {
            "naive": _naive(series, 1, horizon),
            "snaive": _naive(series, period, horizon),
            "naive2": _naive([one.values for one in adjusted], 1, horizon) * _indices(adjusted),
        }
        needed = wanted | (set(_COMBINED) if "comb" in wanted else set())
        smoothed = _smoothed(adjusted, [name for name in _ADJUSTED if name in needed], threads)
        found |= {name: _filled(values, found["naive2"]) for name, values in smoothed.items()}
        if "comb" in wanted:
            found["comb"] = np.mean([found[name] for name in _COMBINED], axis=0)
        if "ets" in wanted:
            from statsforecast.models import AutoETS

            model = AutoETS(season_length=period, model=self.settings.ets, alias="ets")
            estimated = _estimated(series, [model], horizon, threads)["ets"]
            found["ets"] = _filled(estimated, found["snaive"])
        for method, values in found.items():
            check_finite(np.concatenate(values, axis=1), ids, method)
        return {method: values for method, values in found.items() if method in wanted}

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        assert isinstance(variant, Variant)
        ids = check_series(self.spec, data)
        yield from Forecasts(*self.forecasts[variant.method].numpy()).predictions(ids)

    def tensors(self) -> Mapping[str, Tensor]:
        return self.forecasts

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        shape = (3, self.spec["series"], self.spec["horizon"])
        for variant in self.settings.variants.values():
            if tuple(tensors[variant.method].shape) != shape:
                raise RuntimeError(f"{variant.method}: expected shape {shape}, "
                                   f"got {tuple(tensors[variant.method].shape)}")
        self.forecasts = dict(tensors)

    @property
    def parameters_count(self) -> int:
        return 0


def _naive(series: list[Array], period: int, horizon: int) -> Array:
    """The last season again and again, [3, series, h]; limits from the errors of doing so.

    The error of k seasons ahead is a sum of k independent ones. A series no longer than a season
    is forecast by its last point, and so are its errors made.
    """
    found = np.empty((3, len(series), horizon))
    for row, past in enumerate(series):
        lag = period if len(past) > period else 1
        errors = past[lag:] - past[:-lag]
        deviation = np.sqrt(np.mean(errors**2)) if len(errors) else 0.0
        seasons = np.arange(horizon) // lag + 1
        found[:, row] = (seasonal_naive(past, period, horizon)
                         + _NORMAL * deviation * np.sqrt(seasons))
    return found


def _indices(adjusted: list[Adjusted]) -> Array:
    """What puts the seasons back, [series, h]."""
    return np.stack([one.indices for one in adjusted])


def _smoothed(adjusted: list[Adjusted], methods: list[str], threads: int) -> dict[str, Array]:
    """Forecasts of seasonally adjusted series, with their seasons put back."""
    if not methods:
        return {}
    from statsforecast.models import AutoETS, Holt, Theta

    models = {"ses": AutoETS(model="ANN", alias="ses"), "holt": Holt(alias="holt"),
              "damped": AutoETS(model="AAN", damped=True, alias="damped"),
              "theta": Theta(alias="theta")}
    indices = _indices(adjusted)
    found = _estimated([one.values for one in adjusted], [models[name] for name in methods],
                       indices.shape[1], threads)
    return {name: values * indices for name, values in found.items()}


def _estimated(series: list[Array], models: list[Any], horizon: int,
               threads: int) -> dict[str, Array]:
    """What statsforecast models say by their aliases, [3, series, h], NaN where one gives up."""
    import pandas as pd
    from statsforecast import StatsForecast
    from statsforecast.models import NaNModel

    lengths = [len(one) for one in series]
    frame = pd.DataFrame({
        "unique_id": np.repeat(np.arange(len(series)), lengths),
        "ds": np.concatenate([np.arange(length) for length in lengths]),
        "y": np.concatenate(series),
    })
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        engine = StatsForecast(models=models, freq=1, n_jobs=threads, fallback_model=NaNModel())
        table = engine.forecast(df=frame, h=horizon, level=[_PERCENT])
    endings = ("", f"-lo-{_PERCENT}", f"-hi-{_PERCENT}")
    return {model.alias: np.stack([
        table[model.alias + ending].to_numpy(np.float64).reshape(len(series), horizon)
        for ending in endings]) for model in models}


def _filled(found: Array, fallback: Array) -> Array:
    """`fallback` for the series whose forecast is missing, its interval for one without."""
    missing = np.isnan(found[0]).any(axis=1)[:, None]
    points = np.where(missing, fallback[0], found[0])
    unlimited = ~np.isfinite(found).all(axis=(0, 2))[:, None]
    moved = points + (fallback - fallback[0])
    return np.where(unlimited, moved, np.stack([points, *found[1:]]))
