"""Scaled windows: what a model that is shared by all series reads of each of them.

Series of a competition differ by orders of magnitude, so a window is made relative to its own
last point, on a scale of its own: in logarithms, where differences are growth rates, or divided by
the window's mean absolute value, which zeros and negative values allow too. What a model says
about the points ahead is in the same units and put back afterwards.

A window that begins before its series repeats the first point. The spread of a window is its mean
absolute step; intervals are multiples of it, so that a quiet series gets a narrow one.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipeline.entries import SystemSettings
from pipeline.tasks.forecast.shared.measures import Array
from pipeline.tasks.forecast.shared.seasonality import adjust
from pipeline.tasks.forecast.shared.values import check_values
from pipeline.tasks.forecast.shared.weights import Weights, series_weights

Scale = Literal["log", "level"]
Indices = NDArray[np.int64]

SMALLEST_SPREAD = 1e-4


class WindowSettings(SystemSettings):
    """What the windows of a system are like."""

    window: int = Field(ge=1, description="points that the model sees")
    scale: Scale = Field(description="units of a window: logarithms, or its mean absolute value")
    deseasonalise: bool = Field(description="take the season out of series that have one")
    weights: Weights = Field(description="how much each series counts in training")

    @property
    def positive(self) -> int:
        """Points at the end of a past that must be positive."""
        return sys.maxsize if self.scale == "log" else 0


@dataclass(frozen=True)
class Framed:
    """Windows in units of their own.

    `inputs` [n, window] end with 0; a value v in a window's units is origin + unit v in those of
    its series (or in their logarithm), both [n, 1].
    """

    inputs: Array
    origin: Array
    unit: Array

    @property
    def spread(self) -> Array:
        """Mean absolute step within each window, [n, 1]."""
        if self.inputs.shape[1] == 1:
            return np.full((len(self.inputs), 1), SMALLEST_SPREAD)
        steps = np.abs(np.diff(self.inputs, axis=1)).mean(axis=1, keepdims=True)
        return np.maximum(steps, SMALLEST_SPREAD)


class Windows:
    """All windows of `pasts`; one is named by its series' row and by the place of its last point.

    With `settings.deseasonalise` each past loses the season that M4's test finds in it, but for
    its last `held_out` points, which the season may not be learnt from. Raises UserError naming a
    past that has no window in the settings' units.
    """

    def __init__(self, settings: WindowSettings, ids: Sequence[str], pasts: Sequence[Array],
                 period: int, horizon: int, held_out: int = 0) -> None:
        check_values(ids, pasts, settings.positive)
        self.scale = settings.scale
        self.window = settings.window
        self.horizon = horizon
        self.lengths = np.array([len(past) for past in pasts])
        self.seasons = np.ones((len(pasts), horizon))
        parts = []
        for row, past in enumerate(pasts):
            values = np.asarray(past, dtype=np.float64)
            if settings.deseasonalise:
                values, self.seasons[row] = _adjusted(values, period, horizon, held_out)
            parts += [np.full(self.window - 1, values[0]), values]
        self._points = np.concatenate(parts)
        sizes = self.lengths + self.window - 1
        self._starts = np.cumsum(sizes) - sizes

    def framed(self, rows: Indices, ends: Indices) -> Framed:
        """The windows that end at `ends` [n] of the series `rows` [n]."""
        places = (self._starts[rows] + ends)[:, None] + np.arange(self.window)
        values = self._units(self._points[places])
        origin = values[:, -1:]
        unit = np.ones_like(origin)
        if self.scale == "level":
            mean = np.abs(values).mean(axis=1, keepdims=True)
            unit = np.where(mean > 0, mean, 1.0)
        return Framed((values - origin) / unit, origin, unit)

    def targets(self, framed: Framed, rows: Indices, ends: Indices) -> Array:
        """The `horizon` points after each window, [n, h], in its units."""
        places = (self._starts[rows] + ends)[:, None] + self.window + np.arange(self.horizon)
        return (self._units(self._points[places]) - framed.origin) / framed.unit

    def restored(self, outputs: Array, framed: Framed, rows: Indices) -> Array:
        """Values [n, h] in windows' units as forecasts after the end of each series."""
        values = framed.origin + framed.unit * outputs
        if self.scale == "log":
            # What overflows is not finite, and forecasts are checked for that.
            with np.errstate(over="ignore"):
                values = np.exp(values)
        return values * self.seasons[rows]

    def _units(self, values: Array) -> Array:
        return np.log(values) if self.scale == "log" else values


def _adjusted(past: Array, period: int, horizon: int, held_out: int) -> tuple[Array, Array]:
    """A past without its season, and the indices [h] of the points after it."""
    known = past[: len(past) - held_out] if len(past) > held_out else past
    adjusted = adjust(known, period, len(past) - len(known) + horizon)
    rest = past[len(known) :] / adjusted.indices[: len(past) - len(known)]
    return np.concatenate([adjusted.values, rest]), adjusted.indices[-horizon:]


def training_weights(settings: WindowSettings, pasts: Sequence[Array], period: int,
                     held_out: int = 0) -> Array:
    """How much each past counts in training, [series], but for its last `held_out` points."""
    known = [past[: max(1, len(past) - held_out)] for past in pasts]
    return series_weights(settings.weights, known, period)


def training_ends(lengths: Indices, window: int, horizon: int,
                  held_out: int) -> tuple[Indices, Indices]:
    """First and last window to learn from of each series, by their ends; last < first for none.

    Windows begin within the series, but for a series so short that it has no such window: its
    longest incomplete one counts.
    """
    last = lengths - 1 - horizon - held_out
    return np.minimum(window - 1, np.maximum(last, 0)), last
