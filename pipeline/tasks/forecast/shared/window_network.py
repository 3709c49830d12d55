"""A network over scaled windows, shared by all series: what feed-forward and recurrent have alike.

The network reads a window relative to its own extent (its mean absolute distance from the last
point) and the extent's logarithm, and answers in extents, so it sees numbers of one size whatever
the series. It forecasts all points ahead at once and minimises their mean absolute error in the
units of the window, by the weights of the series; each gives as many windows to an epoch.

Validation is the forecast of the last horizon of each past, as for ES-RNN: with `holdout` training
never sees it.
"""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from pipeline.entries import TrainingSettings, VariantSettings
from pipeline.systems.base import Batch, Batches, NeuralSystem
from pipeline.tasks.forecast.shared.forecasts import Forecaster, Forecasts
from pipeline.tasks.forecast.shared.intervals import IntervalHead
from pipeline.tasks.forecast.shared.measures import Array
from pipeline.tasks.forecast.shared.precision import at_least_single, in_double
from pipeline.tasks.forecast.shared.storage import load_ids, load_pasts
from pipeline.tasks.forecast.shared.windows import (
    Framed,
    Windows,
    WindowSettings,
    training_ends,
    training_weights,
)

_SMALLEST_EXTENT = 1e-4
_AT_ONCE = 4096


class NetworkSettings(WindowSettings):
    """What is the same for all networks over windows."""

    hidden: int = Field(ge=1)
    windows_an_epoch: int = Field(ge=1, description="windows drawn from each series")
    batch_windows: int = Field(ge=1)
    holdout: bool
    training: TrainingSettings


class WindowNetwork(Forecaster, NeuralSystem):
    """A subclass says how a window becomes a state of width `hidden`."""

    settings: NetworkSettings

    def __init__(self, settings: NetworkSettings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.positive = settings.positive
        self.output = nn.Linear(settings.hidden, spec["horizon"])
        self.intervals = IntervalHead(settings.hidden, spec["horizon"],
                                      logarithmic=settings.scale == "log")

    @abstractmethod
    def states(self, inputs: Tensor, extent: Tensor) -> Tensor:
        """States [batch, hidden] of windows [batch, window] in extents.

        `extent` [batch, 1] is the logarithm of each window's.
        """

    def batches(self, data: Path, split: str, seed: int) -> Batches:
        horizon = self.spec["horizon"]
        held_out = horizon if self.settings.holdout else 0
        pasts = load_pasts(data)
        windows = Windows(self.settings, load_ids(data), pasts, self.spec["period"], horizon,
                          held_out)
        weights = training_weights(self.settings, pasts, self.spec["period"], held_out)
        if split == "train":
            return _DrawnWindows(windows, weights, self.settings, held_out, seed)
        return _LastWindows(windows, weights, self.settings.batch_windows)

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Weighted mean absolute error of a window's points ahead, summed over windows."""
        states, outputs = self._outputs(batch)
        total = ((batch["targets"] - outputs).abs().mean(dim=1) * batch["weights"]).sum()
        if self.training:
            total = total + self.intervals.loss(states, outputs, batch["spread"],
                                                batch["targets"]).sum()
        return total, float(len(outputs))

    def _outputs(self, batch: Batch) -> tuple[Tensor, Tensor]:
        inputs = batch["inputs"]
        extent = inputs.abs().mean(dim=1, keepdim=True).clamp(min=_SMALLEST_EXTENT)
        states = self.states(inputs / extent, extent.log())
        return states, at_least_single(self.output(states)) * extent

    @torch.no_grad()
    def forecast(self, ids: Sequence[str], pasts: Sequence[Array],
                 variant: VariantSettings | None) -> Forecasts:
        self.eval()
        windows = Windows(self.settings, ids, pasts, self.spec["period"], self.spec["horizon"])
        parts = []
        with in_double(self):
            for rows in np.array_split(np.arange(len(pasts)), -(-len(pasts) // _AT_ONCE)):
                framed = windows.framed(rows, windows.lengths[rows] - 1)
                batch = self.here(_tensors(framed, torch.float64))
                states, outputs = self._outputs(batch)
                limits = self.intervals(states, outputs, batch["spread"])
                parts.append([windows.restored(values.cpu().numpy(), framed, rows)
                              for values in (outputs, *limits)])
        return Forecasts(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def _tensors(framed: Framed, precision: torch.dtype) -> Batch:
    return {"inputs": torch.from_numpy(framed.inputs).to(precision),
            "spread": torch.from_numpy(framed.spread).to(precision)}


class _LastWindows:
    """The window before the last horizon of each series that has one."""

    def __init__(self, windows: Windows, weights: Array, batch_windows: int) -> None:
        self.windows = windows
        self.weights = weights
        self.batch_windows = batch_windows
        self.rows = np.flatnonzero(windows.lengths > windows.horizon)

    def plan(self, epoch: int) -> list[list[tuple[int, int]]]:
        ends = self.windows.lengths[self.rows] - 1 - self.windows.horizon
        return _cut(self.rows, ends, self.batch_windows)

    def load(self, description: list[tuple[int, int]]) -> Batch:
        rows, ends = np.array(description).T
        framed = self.windows.framed(rows, ends)
        targets = self.windows.targets(framed, rows, ends)
        return _tensors(framed, torch.float32) | {
            "targets": torch.from_numpy(targets).float(),
            "weights": torch.from_numpy(self.weights[rows]).float()}


class _DrawnWindows(_LastWindows):
    """Windows drawn anew in each epoch, as many from each series as from any other."""

    def __init__(self, windows: Windows, weights: Array, settings: NetworkSettings, held_out: int,
                 seed: int) -> None:
        super().__init__(windows, weights, settings.batch_windows)
        self.first, self.last = training_ends(windows.lengths, settings.window, windows.horizon,
                                              held_out)
        self.rows = np.flatnonzero(self.last >= 0)
        self.each = settings.windows_an_epoch
        self.seed = seed

    def plan(self, epoch: int) -> list[list[tuple[int, int]]]:
        generator = np.random.Generator(np.random.PCG64([self.seed, epoch]))
        rows = generator.permutation(np.repeat(self.rows, self.each))
        ends = generator.integers(self.first[rows], self.last[rows] + 1)
        return _cut(rows, ends, self.batch_windows)


def _cut(rows: NDArray[Any], ends: NDArray[Any], size: int) -> list[list[tuple[int, int]]]:
    pairs = list(zip(rows.tolist(), ends.tolist(), strict=True))
    return [pairs[start : start + size] for start in range(0, len(pairs), size)]
