"""The classical methods of M4: nine rows that share one preparation.

Naive, sNaive and ETS forecast a series as it is. Naive2, SES, Holt, Damped and Theta forecast it
without its season, which is put back afterwards, and Comb is the mean of SES, Holt and Damped:
the competition's benchmarks (Makridakis, Spiliotis and Assimakopoulos 2020). Holt's trend is never
damped, Damped's always is. statsforecast estimates by maximum likelihood (`shared/methods.py`); the
protocol around it is in `shared/seasonality.py`.

A series too short for the estimation of a method gets Naive2's forecast (ETS: sNaive's), and one
that a model is not defined for another model of the same family (`shared/state_space.py`). A season
that is not multiplicative, of temperatures about zero say, stays in. Each such forecast names what
made it.

The 95 % intervals of SES, Holt, Damped, Theta and ETS are those of their state-space models. Those
of Naive and sNaive follow from the errors that they make within the past, which add up as the
steps of a random walk; Comb's limits are the means of the limits of its three. Where a model has
no interval, that of the method which stands in for it is laid around its forecast. A past without
errors, a single point say, gives an interval of no width.

A method's forecast follows from the past alone, so `fit` makes all of them and they are what is
saved, with the names of those that another method made; nothing else of the estimation is kept, and
the number of parameters is reported as 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pipeline.entries import SystemSettings, VariantSettings
from pipeline.systems.base import Run
from pipeline.tasks.forecast.shared.forecasts import Forecaster, Forecasts
from pipeline.tasks.forecast.shared.measures import Array
from pipeline.tasks.forecast.shared.seasonality import Adjusted, adjust
from pipeline.tasks.forecast.shared.storage import load_ids, load_pasts
from pipeline.tasks.forecast.shared.values import check_values

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


@dataclass(frozen=True)
class _Made:
    """Points and limits [3, series, h] and, for each series, what made them if not the method."""

    values: Array
    methods: list[str]


class Statistical(Forecaster):
    """Forecasts of the classical methods by name: [3, series, h], points and both limits."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.forecasts: dict[str, Tensor] = {}
        self.methods: dict[str, list[str]] = {}

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        wanted = {variant.method for variant in self.settings.variants.values()}
        found = self._forecasts(load_ids(data), load_pasts(data), wanted, run.threads)
        self.forecasts = {method: torch.from_numpy(one.values) for method, one in found.items()}
        self.methods = {method: one.methods for method, one in found.items()}
        return []

    def forecast(self, ids: Sequence[str], pasts: Sequence[Array],
                 variant: VariantSettings | None) -> Forecasts:
        assert isinstance(variant, Variant)
        found = self._forecasts(ids, pasts, {variant.method}, 1)[variant.method]
        return Forecasts(*found.values, methods=found.methods)

    def forecast_fitted(self, rows: Sequence[int], ids: Sequence[str], pasts: Sequence[Array],
                        variant: VariantSettings | None) -> Forecasts:
        """What `fit` has made."""
        assert isinstance(variant, Variant)
        return Forecasts(*self.forecasts[variant.method].numpy()[:, [*rows]],
                         methods=[self.methods[variant.method][row] for row in rows])

    def _forecasts(self, ids: Sequence[str], pasts: Sequence[Array], wanted: set[Method],
                   threads: int) -> dict[str, _Made]:
        """What each of the `wanted` methods says."""
        from pipeline.tasks.forecast.shared.methods import estimates

        check_values(ids, pasts)
        series = [np.asarray(past) for past in pasts]
        period, horizon = self.spec["period"], self.spec["horizon"]
        adjusted = [adjust(past, period, horizon) for past in series]
        found = _naive(series, adjusted, period, horizon)
        needed = wanted | (set(_COMBINED) if "comb" in wanted else set())
        estimated = estimates(series, adjusted, [name for name in _ESTIMATED if name in needed],
                              period, self.settings.ets, threads)
        for name, (values, models) in estimated.items():
            found[name] = _filled(_Made(values, models), found, "snaive" if name == "ets"
                                  else "naive2")
        if "comb" in wanted:
            found["comb"] = _combined([found[name] for name in _COMBINED])
        return {method: found[method] for method in wanted}

    def tensors(self) -> Mapping[str, Tensor]:
        return self.forecasts

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        shape = (3, self.spec["series"], self.spec["horizon"])
        for variant in self.settings.variants.values():
            if tuple(tensors[variant.method].shape) != shape:
                raise RuntimeError(f"{variant.method}: expected shape {shape}, "
                                   f"got {tuple(tensors[variant.method].shape)}")
        self.forecasts = dict(tensors)

    def texts(self) -> Mapping[str, Any]:
        """By method, what made each series' forecast where that is another method."""
        return {"methods": {method: {str(row): name for row, name in enumerate(names) if name}
                            for method, names in self.methods.items()}}

    def load_texts(self, texts: Mapping[str, Any]) -> None:
        rows = range(self.spec["series"])
        self.methods = {method: [names.get(str(row), "") for row in rows]
                        for method, names in texts["methods"].items()}

    @property
    def parameters_count(self) -> int:
        return 0


def _naive(series: Sequence[Array], adjusted: Sequence[Adjusted], period: int,
           horizon: int) -> dict[str, _Made]:
    """What is made without an estimation."""
    from pipeline.tasks.forecast.shared.methods import naive

    none = [""] * len(series)
    return {
        "naive": _Made(np.stack([naive(past, 1, horizon) for past in series], axis=1), none),
        "snaive": _Made(np.stack([naive(past, period, horizon) for past in series], axis=1),
                        ["naive" if len(past) < period else "" for past in series]),
        "naive2": _Made(np.stack([naive(one.values, 1, horizon) * one.indices
                                  for one in adjusted], axis=1),
                        ["naive" if one.unadjusted else "" for one in adjusted]),
    }


def _filled(made: _Made, others: Mapping[str, _Made], other: str) -> _Made:
    """The forecast of the method `other` where there is none, its interval where that is missing.
    """
    fallback = others[other].values
    missing = np.any(np.isnan(made.values[0]), axis=1)
    points = np.where(missing[:, None], fallback[0], made.values[0])
    unlimited = np.any(~np.isfinite(made.values), axis=(0, 2))
    moved = points + (fallback - fallback[0])
    values = np.where(unlimited[:, None], moved, np.stack([points, *made.values[1:]]))
    return _Made(values, [
        others[other].methods[row] or other if missing[row] else
        f"{made.methods[row]} interval of {other}".strip(" ") if unlimited[row] else
        made.methods[row] for row in range(len(missing))])


def _combined(parts: Sequence[_Made]) -> _Made:
    """The mean of several methods, which names its parts where one of them is another's."""
    names = [[part.methods[row] or name for name, part in zip(_COMBINED, parts, strict=True)]
             for row in range(len(parts[0].methods))]
    return _Made(np.mean([part.values for part in parts], axis=0), [
        "" if tuple(one) == _COMBINED else f"mean of {', '.join(one)}" for one in names])
