"""Recurrent network over windows, shared by all series: a global LSTM, or any cell of `nn.cells`.

The network reads a window some points at a time and what it holds at the end gives all points
ahead at once. It sees what the time-delay network sees and no more, so the two differ in the
network alone. The RNN benchmark of M4 was trained on each series alone and came out last; trained
on all series together such networks compete with the statistical methods (Hewamalage, Bergmeir
and Bandara 2021, "Recurrent neural networks for time series forecasting").
"""

from typing import Any, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from pipeline.nn.cells import Cell
from pipeline.nn.dropout import FreshDropout
from pipeline.nn.rnn import Stack
from pipeline.tasks.forecast.shared.window_network import NetworkSettings, WindowNetwork


class Settings(NetworkSettings):
    """A recurrent entry of `systems`."""

    cell: Cell
    layers: int = Field(ge=1)
    points_a_step: int = Field(ge=1, description="points that are read at once, say a day's")
    dropout: float = Field(ge=0, lt=1, description="between layers and of the last state")

    @model_validator(mode="after")
    def _steps_fill_the_window(self) -> Self:
        if self.window % self.points_a_step:
            raise ValueError(f"window ({self.window}) must be a multiple of points_a_step "
                             f"({self.points_a_step})")
        return self


class RecurrentForecaster(WindowNetwork):
    """Layers of one cell over a window, and a linear layer on the last state."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.stack = Stack(settings.cell, settings.points_a_step + 1,
                           settings.layers * [settings.hidden], settings.dropout)
        self.dropout = FreshDropout(settings.dropout)

    def states(self, inputs: Tensor, extent: Tensor) -> Tensor:
        steps = inputs.unflatten(1, (-1, self.settings.points_a_step)).transpose(0, 1)
        sizes = extent.expand(len(steps), -1, -1)
        outputs, _ = self.stack(torch.cat([steps, sizes], dim=-1),
                                self.stack.start(inputs.shape[0]))
        return self.dropout(outputs[-1])
