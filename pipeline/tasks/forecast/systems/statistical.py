"""The classical methods of M4: nine rows that share one preparation.

Naive, sNaive and ETS forecast a series as it is. Naive2, SES, Holt, Damped and Theta forecast it
without its season, which is put back afterwards, and Comb is the mean of SES, Holt and Damped:
the competition's benchmarks (Makridakis, Spiliotis and Assimakopoulos 2020). Holt's trend is never
damped, Damped's always is. statsforecast estimates by maximum likelihood (`shared/methods.py`); the
protocol around it is in `shared/seasonality.py`. A series too short for the estimation of a method
gets Naive2's forecast (ETS: sNaive's).

The 95 % intervals of SES, Holt, Damped, Theta and ETS are those of their state-space models. Those
of Naive and sNaive follow from the errors that they make within the past, which add up as the
steps of a random walk; Comb's limits are the means of the limits of its three. Where a model has
no interval, that of the method which stands in for it is laid around its forecast. A past without
errors, a single point say, gives an interval of no width.

A method's forecast follows from the past alone, so `fit` makes all of them and they are what is
saved; nothing else of the estimation is kept, and the number of parameters is reported as 0.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pipeline.entries import SystemSettings, VariantSettings
from pipeline.systems.base import Run
from pipeline.tasks.forecast.shared.forecasts import (
    Forecaster,
    Forecasts,
    check_finite,
    check_values,
)
from pipeline.tasks.forecast.shared.measures import Array
from pipeline.tasks.forecast.shared.seasonality import adjust
from pipeline.tasks.forecast.shared.storage import load_ids, load_pasts

if TYPE_CHECKING:
    from pipeline.tasks.forecast.shared.methods import Estimated

Method = Literal["naive", "snaive", "naive2", "ses", "holt", "damped", "theta", "comb", "ets"]

_COMBINED: tuple["Estimated", ...] = ("ses", "holt", "damped")
_ESTIMATED: tuple["Estimated", ...] = (*_COMBINED, "theta", "ets")


class Variant(VariantSettings):
    """One method of the competition."""

    method: Method


class Settings(SystemSettings):
    """`ets` is statsforecast's code of error, trend and season; Z lets AICc choose."""

    ets: str = Field(pattern="^[AMZ][NAMZ][NAMZ]$")
    variants: dict[str, Variant] = Field(min_length=1)


class Statistical(Forecaster):
    """Forecasts of the classical methods by name: [3, series, h], points and both limits."""

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

    def forecast_fitted(self, ids: Sequence[str], pasts: Sequence[Array],
                        variant: VariantSettings | None) -> Forecasts:
        """What `fit` has made."""
        assert isinstance(variant, Variant)
        return Forecasts(*self.forecasts[variant.method].numpy())

    def _forecasts(self, ids: Sequence[str], pasts: Sequence[Array], wanted: set[Method],
                   threads: int) -> dict[str, Array]:
        """What each of the `wanted` methods says. Raises UserError where one is not finite."""
        from pipeline.tasks.forecast.shared.methods import estimates, naive

        check_values(ids, pasts, positive=False)
        series = [np.asarray(past) for past in pasts]
        period, horizon = self.spec["period"], self.spec["horizon"]
        adjusted = [adjust(past, period, horizon) for past in series]
        found = {
            "naive": np.stack([naive(past, 1, horizon) for past in series], axis=1),
            "snaive": np.stack([naive(past, period, horizon) for past in series], axis=1),
            "naive2": np.stack([naive(one.values, 1, horizon) * one.indices
                                for one in adjusted], axis=1),
        }
        needed = wanted | (set(_COMBINED) if "comb" in wanted else set())
        estimated = estimates(series, adjusted, [name for name in _ESTIMATED if name in needed],
                              period, self.settings.ets, threads)
        for name, values in estimated.items():
            found[name] = _filled(values, found["snaive" if name == "ets" else "naive2"])
        if "comb" in wanted:
            found["comb"] = np.mean([found[name] for name in _COMBINED], axis=0)
        for method, values in found.items():
            check_finite(np.concatenate(values, axis=1), ids, method)
        return {method: values for method, values in found.items() if method in wanted}

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


def _filled(found: Array, fallback: Array) -> Array:
    """`fallback` for the series whose forecast is missing, its interval for one without."""
    missing = np.isnan(found[0]).any(axis=1)[:, None]
    points = np.where(missing, fallback[0], found[0])
    unlimited = ~np.expand_dims(np.isfinite(found).all(axis=(0, 2)), 1)
    moved = points + (fallback - fallback[0])
    return np.where(unlimited, moved, np.stack([points, *found[1:]]))
