"""The classical methods of M4: nine rows that share one preparation.

Naive, sNaive and ETS forecast a series as it is. Naive2, SES, Holt, Damped and Theta forecast it
without its season, which is put back afterwards, and Comb is the mean of SES, Holt and Damped:
the competition's benchmarks (Makridakis, Spiliotis and Assimakopoulos 2020). statsforecast
estimates by maximum likelihood; the protocol around it is in `shared/seasonality.py`. A series too
short for the estimation of a method gets Naive2's forecast (ETS: sNaive's).

A method's forecast follows from the past alone, so `fit` makes all of them and they are what is
saved; nothing else of the estimation is kept, and the number of parameters is reported as 0.
"""

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pipeline.config import SystemSettings, VariantSettings
from pipeline.errors import UserError
from pipeline.predictions import Prediction
from pipeline.system import Run, System
from pipeline.tasks.forecast.shared.measures import Array
from pipeline.tasks.forecast.shared.seasonality import Adjusted, adjust, seasonal_naive
from pipeline.tasks.forecast.shared.storage import check_series, load_ids, load_pasts

Method = Literal["naive", "snaive", "naive2", "ses", "holt", "damped", "theta", "comb", "ets"]

_COMBINED = ("ses", "holt", "damped")
_ADJUSTED = (*_COMBINED, "theta")


class Variant(VariantSettings):
    """One method of the competition."""

    method: Method


class Settings(SystemSettings):
    """`ets` is statsforecast's code of error, trend and season; Z lets AICc choose."""

    ets: str = Field(pattern="^[AMZ][NAMZ][NAMZ]$")
    variants: dict[str, Variant] = Field(min_length=1)


class Statistical(System):
    """Forecasts of the classical methods, tensors of shape [series, h] by method."""

    Settings = Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.forecasts: dict[str, Tensor] = {}

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        pasts = [np.asarray(past) for past in load_pasts(data)]
        wanted = {variant.method for variant in self.settings.variants.values()}
        forecasts = self._forecasts(pasts, wanted, run.threads)
        ids = load_ids(data)
        for method, values in forecasts.items():
            _check_finite(method, values, ids)
        self.forecasts = {method: torch.from_numpy(values)
                          for method, values in forecasts.items() if method in wanted}
        return []

    def _forecasts(self, pasts: list[Array], wanted: set[str], threads: int) -> dict[str, Array]:
        period, horizon = self.spec["period"], self.spec["horizon"]
        adjusted = [adjust(past, period, horizon) for past in pasts]
        found = {
            "naive": np.stack([np.full(horizon, past[-1]) for past in pasts]),
            "snaive": np.stack([seasonal_naive(past, period, horizon) for past in pasts]),
            "naive2": np.stack([one.values[-1] * one.indices for one in adjusted]),
        }
        needed = wanted | (set(_COMBINED) if "comb" in wanted else set())
        smoothed = _smoothed(adjusted, [name for name in _ADJUSTED if name in needed], threads)
        found |= {name: _filled(values, found["naive2"]) for name, values in smoothed.items()}
        if "comb" in wanted:
            found["comb"] = np.mean([found[name] for name in _COMBINED], axis=0)
        if "ets" in wanted:
            from statsforecast.models import AutoETS

            model = AutoETS(season_length=period, model=self.settings.ets, alias="ets")
            estimated = _estimated(pasts, [model], horizon, threads)["ets"]
            found["ets"] = _filled(estimated, found["snaive"])
        return found

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        assert isinstance(variant, Variant)
        ids = check_series(self.spec, data)
        forecasts = self.forecasts[variant.method].tolist()
        for identity, forecast in zip(ids, forecasts, strict=True):
            yield {"id": identity, "forecast": forecast}

    def tensors(self) -> Mapping[str, Tensor]:
        return self.forecasts

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        shape = (self.spec["series"], self.spec["horizon"])
        for variant in self.settings.variants.values():
            if tuple(tensors[variant.method].shape) != shape:
                raise RuntimeError(f"{variant.method}: expected shape {shape}, "
                                   f"got {tuple(tensors[variant.method].shape)}")
        self.forecasts = dict(tensors)

    @property
    def parameters_count(self) -> int:
        return 0


def _smoothed(adjusted: list[Adjusted], methods: list[str], threads: int) -> dict[str, Array]:
    """Forecasts of seasonally adjusted series, with their seasons put back."""
    if not methods:
        return {}
    from statsforecast.models import AutoETS, Holt, Theta

    models = {"ses": AutoETS(model="ANN", alias="ses"), "holt": Holt(alias="holt"),
              "damped": AutoETS(model="AAN", damped=True, alias="damped"),
              "theta": Theta(alias="theta")}
    indices = np.stack([one.indices for one in adjusted])
    found = _estimated([one.values for one in adjusted], [models[name] for name in methods],
                       indices.shape[1], threads)
    return {name: values * indices for name, values in found.items()}


def _estimated(series: list[Array], models: list[Any], horizon: int,
               threads: int) -> dict[str, Array]:
    """Forecasts [series, h] of statsforecast models by their aliases, NaN where one gives up."""
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
        table = engine.forecast(df=frame, h=horizon)
    return {model.alias: table[model.alias].to_numpy(np.float64).reshape(len(series), horizon)
            for model in models}


def _filled(forecasts: Array, fallback: Array) -> Array:
    """`fallback` for the series whose forecast is missing."""
    missing = np.isnan(forecasts).any(axis=1, keepdims=True)
    return np.where(missing, fallback, forecasts)


def _check_finite(method: str, forecasts: Array, ids: list[str]) -> None:
    broken = np.flatnonzero(~np.isfinite(forecasts).all(axis=1))
    if broken.size:
        raise UserError(f"series {ids[int(broken[0])]!r}: {method} gives no finite forecast; "
                        "mend or remove the series")
