"""Time-delay network: a feed-forward network over the last n points of a series.

The lecture's first network for time series, and the MLP benchmark of M4, but for one thing: that
was trained on each series alone, this one on all together. Above the window are tanh layers and a
linear one, which gives all points ahead at once (Lang, Waibel and Hinton 1990; as a model of
series Zhang, Patuwo and Hu 1998, "Forecasting with artificial neural networks").
"""

from itertools import pairwise
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from pipeline.nn.dropout import FreshDropout
from pipeline.tasks.forecast.shared.window_network import NetworkSettings, WindowNetwork


class Settings(NetworkSettings):
    """A time-delay entry of `systems`."""

    layers: int = Field(ge=1, description="tanh layers, each `hidden` wide")
    dropout: float = Field(ge=0, lt=1, description="of the last layer's outputs")


class TimeDelayNetwork(WindowNetwork):
    """tanh layers over a window."""

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        widths = [settings.window + 1] + settings.layers * [settings.hidden]
        self.layers = nn.ModuleList(nn.Linear(below, width) for below, width in pairwise(widths))
        self.dropout = FreshDropout(settings.dropout)

    def states(self, inputs: Tensor, extent: Tensor) -> Tensor:
        states = torch.cat([inputs, extent], dim=1)
        for layer in self.layers:
            states = torch.tanh(layer(states))
        return self.dropout(states)
