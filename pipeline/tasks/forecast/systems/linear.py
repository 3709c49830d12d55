"""Linear autoregression of all series together: the points ahead are weighted sums of the last n.

One matrix [n, h] for all series, by ridge regression on scaled windows, where a series counts by
its weight and not by its length. Each point ahead has weights of its own (direct
forecasts), so an error is not fed back. A series alone has too few points for so many weights;
learnt across series they beat methods that treat each series alone (Montero-Manso and Hyndman
2021, "Principles and algorithms for forecasting groups of time series"). The lecture's linear
model of a window, before a network takes its place.

Limits of the 95 % intervals are quantiles of the errors in training, as multiples of the
windows' spread.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pipeline.entries import VariantSettings
from pipeline.systems.base import Run
from pipeline.tasks.forecast.shared.forecasts import Forecaster, Forecasts
from pipeline.tasks.forecast.shared.measures import TAILS, Array
from pipeline.tasks.forecast.shared.storage import load_ids, load_pasts
from pipeline.tasks.forecast.shared.windows import (
    Framed,
    Windows,
    WindowSettings,
    training_ends,
    training_weights,
)

_WINDOWS_AT_ONCE = 65_536
_RECENT = 20  # windows of a series whose errors count for the intervals


class Settings(WindowSettings):
    """A linear entry of `systems`."""

    ridge: float = Field(ge=0, description="penalty of squared weights, relative to the mean "
                                           "squared input")


class LinearAutoregression(Forecaster):
    """`weights` [window, h] of all points but the last, which is the origin, and an intercept."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.positive = settings.positive
        self.weights = np.zeros((settings.window, spec["horizon"]))
        self.quantiles = np.zeros((2, spec["horizon"]))

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        pasts = load_pasts(data)
        windows = self._windows(load_ids(data), pasts)
        weights = training_weights(self.settings, pasts, self.spec["period"])
        size = self.settings.window
        gram, moments = np.zeros((size, size)), np.zeros((size, self.spec["horizon"]))
        for framed, targets, shares in self._examples(windows, weights):
            inputs = _with_intercept(framed.inputs)
            weighted = (inputs * shares[:, None]).T
            gram += weighted @ inputs
            moments += weighted @ targets
        penalty = np.full(size, self.settings.ridge * np.trace(gram[:-1, :-1]) / max(1, size - 1))
        penalty[-1] = 0.0
        self.weights = np.linalg.lstsq(gram + np.diag(penalty), moments, rcond=None)[0]
        relative = [(targets - _with_intercept(framed.inputs) @ self.weights) / framed.spread
                    for framed, targets, _ in self._examples(windows, weights, _RECENT)]
        if relative:
            self.quantiles = np.quantile(np.concatenate(relative), TAILS, axis=0)
        return []

    def _windows(self, ids: Sequence[str], pasts: Sequence[Array]) -> Windows:
        return Windows(self.settings, ids, pasts, self.spec["period"], self.spec["horizon"])

    def _examples(self, windows: Windows, weights: Array,
                  most: int | None = None) -> Iterator[tuple[Framed, Array, Array]]:
        """Windows with their targets and shares, some at a time.

        A series' shares sum to its weight in `weights`. With `most`, so many of its last windows
        count alone.
        """
        first, last = training_ends(windows.lengths, self.settings.window, windows.horizon, 0)
        if most:
            first = np.maximum(first, last - most + 1)
        counts = np.maximum(last - first + 1, 0)
        rows = np.repeat(np.arange(len(counts)), counts)
        ends = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts - first, counts)
        for start in range(0, len(rows), _WINDOWS_AT_ONCE):
            part = slice(start, start + _WINDOWS_AT_ONCE)
            framed = windows.framed(rows[part], ends[part])
            targets = windows.targets(framed, rows[part], ends[part])
            yield framed, targets, (weights / np.maximum(counts, 1))[rows[part]]

    def forecast(self, ids: Sequence[str], pasts: Sequence[Array],
                 variant: VariantSettings | None) -> Forecasts:
        windows = self._windows(ids, pasts)
        rows = np.arange(len(pasts))
        framed = windows.framed(rows, windows.lengths - 1)
        outputs = _with_intercept(framed.inputs) @ self.weights
        low, high = (outputs + framed.spread * quantile for quantile in self.quantiles)
        return Forecasts(*(windows.restored(values, framed, rows)
                           for values in (outputs, low, high)))

    def tensors(self) -> Mapping[str, Tensor]:
        return {"weights": torch.from_numpy(self.weights),
                "quantiles": torch.from_numpy(self.quantiles)}

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        for name, own in self.tensors().items():
            if tensors[name].shape != own.shape:
                raise RuntimeError(f"{name}: expected shape {tuple(own.shape)}, "
                                   f"got {tuple(tensors[name].shape)}")
        self.weights, self.quantiles = tensors["weights"].numpy(), tensors["quantiles"].numpy()

    @property
    def parameters_count(self) -> int:
        return self.weights.size


def _with_intercept(inputs: Array) -> Array:
    """Windows [n, window] with a one in the place of their last point, which is always 0."""
    return np.concatenate([inputs[:, :-1], np.ones((len(inputs), 1))], axis=1)
