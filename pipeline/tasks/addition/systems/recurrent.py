"""Recurrent adder: it reads a pair of bits at each step and writes the sum's bit at once.

The lectures' many-to-many network whose inputs and outputs are aligned. Addition from the least
significant end needs one bit of memory, the carry, and the same rule at every place; a network that
has found both adds numbers of any length (Elman 1990 begins with the like: exclusive or over time).
After the last pair it reads two zeros, and writes the last carry.
"""

from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from pipeline.nn.cells import Cell
from pipeline.nn.rnn import Stack
from pipeline.tasks.addition.shared.adder import Adder, AdderSettings


class Settings(AdderSettings):
    cell: Cell
    hidden: int = Field(ge=1)
    layers: int = Field(ge=1, le=8)


class RecurrentAdder(Adder):
    """o_t = c + V h_t is the logit of the sum's bit t."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.layers = Stack(settings.cell, 2, [settings.hidden] * settings.layers, dropout=0.0)
        self.output = nn.Linear(settings.hidden, 1)

    def logits(self, pairs: Tensor) -> Tensor:
        return self.output(self._states(pairs))[..., 0]

    @torch.no_grad()
    def states_along(self, pairs: Tensor) -> Tensor:
        """States [B, T, hidden] of the last layer after each of `pairs` [B, T, 2]."""
        return self._states(pairs)

    def _states(self, pairs: Tensor) -> Tensor:
        states, _ = self.layers(pairs.transpose(0, 1), self.layers.start(len(pairs)))
        return states.transpose(0, 1)
