"""Exponential smoothing as state-space models: estimation, choice by AICc, and intervals.

statsforecast estimates; a model is named by its components, error, trend and season, each A
(additive), M (multiplicative) or N (none), and by whether its trend is damped. Two things are done
here because they cost more there than the estimation itself. A `Series` estimates each model once,
however many methods ask for it: those between which AICc chooses are, for a series without season,
the very SES, Holt and damped models of the competition. And the variance of a forecast follows
from the estimated parameters in closed form unless trend or season is multiplicative; for those
statsforecast's matrices and simulations are used.

Multiplicative components are defined for positive series alone. Where a code wants them of another
series, additive ones take their place, so the model is still one of exponential smoothing; and as
that is not what the code says, the forecast names it. So does one whose model statsforecast has
changed: a constant series has no components but its level, and one no longer than a season no
season.

Source: Hyndman, Koehler, Ord and Snyder 2008, "Forecasting with Exponential Smoothing", chapters 2
and 6.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import NormalDist
from typing import Any

import numpy as np
from statsforecast.ets import ets_f, forecast_ets

from pipeline.tasks.forecast.shared.measures import LEVEL, TAILS, Array

_PERCENT = round(100 * LEVEL)
# What statsforecast raises for too few points, no likelihood, or parameters out of range, which it
# does not tell apart; a defect has another type.
_NOT_ESTIMATED = (NotImplementedError, ValueError, ArithmeticError, np.linalg.LinAlgError)
REACHES = np.array([0.0, *map(NormalDist().inv_cdf, TAILS)])[:, None]


@dataclass(frozen=True)
class Model:
    """Components as "AAN", for additive error and trend and no season."""

    components: str
    damped: bool = False


@dataclass(frozen=True)
class Found:
    """Points and both limits [3, h], NaN where a model cannot be estimated.

    `model` is the name of the model that made them where it is another than was asked for.
    """

    values: Array
    model: str = ""


class Series:
    """One past and the models that have been estimated from it; `period` is 1 without season."""

    def __init__(self, values: Array, period: int) -> None:
        self.values = values
        self.period = period
        self._estimated: dict[Model, dict[str, Any] | None] = {}

    def forecast(self, model: Model, horizon: int) -> Found:
        """That of one model."""
        return _forecast(self._estimate(model), horizon,
                         [model.components + ("D" if model.damped else "N")])

    def best_forecast(self, code: str, horizon: int) -> Found:
        """That of the model with the least AICc among those that `code` stands for, Z for any."""
        found = [estimate for model in self._candidates(code)
                 if (estimate := self._estimate(model)) is not None]
        asked = [*map("".join, product(*_letters(code), "DN"))]
        if self.period == 1:
            # The code's season is for corpora that have one.
            asked = [f"{components[:2]}N{components[3]}" for components in asked]
        return _forecast(min(found, key=lambda estimate: estimate["aicc"], default=None), horizon,
                         asked)

    def _candidates(self, code: str) -> Iterator[Model]:
        """Models of `code` that are defined for this series and stable."""
        positive = bool(self.values.min() > 0)
        errors, trends, seasons = _letters(code if positive else code.replace("M", "A"))
        if self.period == 1 or len(self.values) <= self.period:
            seasons = "N"
        for error, trend, season, damped in product(errors, trends, seasons, (True, False)):
            unstable = error == "A" and "M" in (trend, season)
            undefined = "M" in (error, trend, season) and not positive
            if not (unstable or undefined or (damped and trend == "N")):
                yield Model(error + trend + season, damped)

    def _estimate(self, model: Model) -> dict[str, Any] | None:
        if model not in self._estimated:
            found = attempt(lambda: ets_f(self.values, self.period, model.components, model.damped))
            self._estimated[model] = found if found and found["fit"] is not None else None
        return self._estimated[model]


def attempt(estimation: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """What an estimation by statsforecast finds, or None where it cannot be made."""
    try:
        return estimation()
    except Exception as error:
        if isinstance(error, _NOT_ESTIMATED) or type(error) is Exception:
            return None
        raise


def _letters(code: str) -> tuple[str, str, str]:
    """What error, trend and season of a code may be."""
    error, trend, season = (any_of if letter == "Z" else letter for letter, any_of
                            in zip(code, ("AM", "NA", "NAM"), strict=True))
    return error, trend, season


def _forecast(estimate: dict[str, Any] | None, horizon: int, asked: Sequence[str]) -> Found:
    if estimate is None:
        return Found(np.full((3, horizon), np.nan))
    error, trend, season, damped = components = estimate["components"]
    model = f"ETS({error},{trend}{'d' if damped == 'D' else ''},{season})"
    if "M" in components[1:3]:
        found = forecast_ets(estimate, horizon, level=[_PERCENT])
        values = np.stack([found["mean"], found[f"lo-{_PERCENT}"], found[f"hi-{_PERCENT}"]])
    else:
        points = forecast_ets(estimate, horizon)["mean"]
        values = points + REACHES * np.sqrt(variances(estimate, points))
    return Found(values, "" if components in asked else model)


def variances(estimate: dict[str, Any], points: Array) -> Array:
    """Variance of each of the forecasts `points` [h], in their unit squared.

    An error of one step moves the forecast j steps later by c_j. Additive errors add up; relative
    ones grow with the level, which earlier errors have moved.
    """
    alpha, beta, gamma, phi = np.nan_to_num(estimate["par"][:4], nan=0.0)
    damped = estimate["components"][3] == "D"
    steps = np.arange(1, len(points))
    growth = np.cumsum(phi**steps) if damped else steps
    moved = (alpha + beta * growth + gamma * (steps % estimate["m"] == 0)) ** 2
    sigma2 = estimate["sigma2"]
    if estimate["components"][0] == "A":
        return sigma2 * (1 + np.concatenate([[0.0], np.cumsum(moved)]))
    squares = points**2
    for step in range(1, len(points)):
        squares[step] += sigma2 * (moved[:step] @ squares[step - 1 :: -1])
    return (1 + sigma2) * squares - points**2
