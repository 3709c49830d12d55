"""Recurrent network of any cell over piano rolls; given its state, keys are independent.

A step's 88 keys go in, and 88 Bernoulli probabilities for the next step come out
(Boulanger-Lewandowski et al. 2012, their plain RNN; Bai et al. 2018 for the LSTM and the GRU). The
state may know which chords can follow, but the output cannot say "this chord or that one": it
plays a mixture of both.
"""

from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from pipeline.nn.cells import Cell
from pipeline.nn.dropout import LockedDropout
from pipeline.nn.rnn import Stack, StackState
from pipeline.tasks.music.shared.composing import sounding
from pipeline.tasks.music.shared.roll_model import RollModel, RollSettings
from pipeline.tasks.music.shared.rolls import KEYS

_SILENT = -3.0  # log-odds that an untrained network gives each key: about 4 of 88 sound


class Settings(RollSettings):
    """A recurrent entry of `systems`."""

    cell: Cell
    hidden: int = Field(ge=1)
    layers: int = Field(ge=1, le=8)
    dropout_input: float = Field(ge=0, lt=1, description="of the keys")
    dropout_hidden: float = Field(ge=0, lt=1, description="between layers")
    dropout_output: float = Field(ge=0, lt=1, description="of the last layer's states")
    dropout_weights: float = Field(ge=0, lt=1, description="of the recurrent weights")


class RecurrentRolls(RollModel):
    """log-odds = c + V h_t for the keys of step t + 1."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.stack = Stack(settings.cell, KEYS, [settings.hidden] * settings.layers,
                           settings.dropout_hidden, settings.dropout_weights)
        self.input_dropout = LockedDropout(settings.dropout_input)
        self.output_dropout = LockedDropout(settings.dropout_output)
        self.output = nn.Linear(settings.hidden, KEYS)
        nn.init.constant_(self.output.bias, _SILENT)

    def forward(self, steps: Tensor, state: StackState) -> tuple[Tensor, StackState]:
        """Log-odds [T, B, KEYS] of the keys after each of `steps` [T, B, KEYS], and the state."""
        hidden, after = self.stack(self.input_dropout(steps), state)
        return self.output(self.output_dropout(hidden)).float(), after

    def nats(self, rolls: Tensor, inside: Tensor) -> Tensor:
        log_odds, _ = self(rolls[:, :-1].transpose(0, 1), self.begin(len(rolls)))
        return functional.binary_cross_entropy_with_logits(
            log_odds.transpose(0, 1)[inside], rolls[:, 1:][inside], reduction="none").sum(dim=1)

    def key_probabilities(self, roll: Tensor) -> Tensor:
        return torch.sigmoid(self(roll[:-1, None], self.begin(1))[0][:, 0])

    def begin(self, count: int) -> StackState:
        return self.stack.start(count)

    def read(self, step: Tensor, state: StackState) -> tuple[Tensor, StackState]:
        log_odds, after = self(step[None], state)
        return log_odds[0], after

    def draw(self, expected: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
        return sounding(expected, temperature, generator)
