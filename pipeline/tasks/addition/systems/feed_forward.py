"""Feed-forward adder: all bits at once into a multi-layer perceptron, as many outputs as bits.

Each place has weights of its own, so what is learnt about a carry at one place says nothing about
the next, and each needs its own examples. It has inputs for the longest numbers of the track. Those
of places that no training pair has are 0 throughout training and their outputs are never asked for,
so it answers longer numbers with weights that have not been trained.
"""

from itertools import pairwise
from typing import Any

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from pipeline.tasks.addition.shared.adder import Adder, AdderSettings


class Settings(AdderSettings):
    hidden: int = Field(ge=1, description="units of each hidden layer")
    layers: int = Field(ge=1, le=8, description="hidden layers")


class FeedForwardAdder(Adder):
    """Hidden layers of rectified linear units."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.steps = spec["bits"] + 1
        widths = [2 * self.steps, *[settings.hidden] * settings.layers]
        self.hidden = nn.Sequential(*(part for below, width in pairwise(widths)
                                      for part in (nn.Linear(below, width), nn.ReLU())))
        self.output = nn.Linear(settings.hidden, self.steps)

    @property
    def longest(self) -> int:
        return self.steps - 1

    def logits(self, pairs: Tensor) -> Tensor:
        given = pairs.shape[1]
        whole = functional.pad(pairs, (0, 0, 0, self.steps - given))
        return self.output(self.hidden(whole.flatten(1)))[:, :given]
