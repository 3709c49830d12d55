"""Recurrence over time, shared by all keys, and then over the keys of a step.

Johnson 2017 ("Generating Polyphonic Music Using Tied Parallel Networks", the bi-axial LSTM). On the
time axis every key has the same LSTM with a state of its own, and sees the keys around it relative
to itself: what is learnt in one key is known in all. On the note axis a second LSTM goes from the
lowest key to the highest; it reads the key's state and which keys below it sound at this step, so
the probability of a step is a product by the chain rule, exact, and chords are chosen as wholes.

Keys that no training piece reaches, moved as far as `transpose` allows, are left out of both and
have one small probability, as if each had sounded once in two steps more than there were.
"""

import math
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

OCTAVE = 12
_SILENT = -3.0


class Settings(RollSettings):
    """A time-and-note entry of `systems`."""

    cell: Cell
    time_hidden: int = Field(ge=1)
    time_layers: int = Field(ge=1, le=4)
    note_hidden: int = Field(ge=1)
    note_layers: int = Field(ge=1, le=4)
    vicinity: int = Field(ge=1, le=36, description="keys to either side that the time axis sees")
    below: int = Field(ge=1, le=36, description="lower keys of this step that the note axis sees")
    beats: int = Field(ge=0, le=16, description="steps of a bar; the place in it is an input "
                                                "(0: none)")
    dropout_hidden: float = Field(ge=0, lt=1, description="between layers of an axis")
    dropout_time: float = Field(ge=0, lt=1, description="of the time axis's states")
    dropout_note: float = Field(ge=0, lt=1, description="of the note axis's states")


class TimeNote(RollModel):
    """p(step) = prod_k p(key k | earlier steps, keys below k)."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.low = max(0, spec["lowest_key"] - settings.transpose)
        self.high = min(KEYS, spec["highest_key"] + 1 + settings.transpose)
        self.outside = math.log(spec["predicted_steps"] + 1)  # minus the log-odds of other keys
        seen = 2 * settings.vicinity + 1 + OCTAVE + settings.beats + 1
        self.time = Stack(settings.cell, seen, [settings.time_hidden] * settings.time_layers,
                          settings.dropout_hidden)
        self.note = Stack(settings.cell, settings.time_hidden + settings.below,
                          [settings.note_hidden] * settings.note_layers, settings.dropout_hidden)
        self.time_dropout = LockedDropout(settings.dropout_time)
        self.note_dropout = LockedDropout(settings.dropout_note)
        self.output = nn.Linear(settings.note_hidden, 1)
        nn.init.constant_(self.output.bias, _SILENT)

    @property
    def span(self) -> int:
        """The number of keys that the axes have."""
        return self.high - self.low

    def seen(self, steps: Tensor, first: int = 0) -> Tensor:
        """What each key sees of `steps` [T, B, KEYS], shape [T, B, span, features].

        The keys around it, how many of each pitch class counted from its own sound, the place in
        the bar (`first` is the number of the first step), its own height.
        """
        duration, batch, _ = steps.shape
        reach = self.settings.vicinity
        around = functional.pad(steps, (reach, reach)).unfold(2, 2 * reach + 1, 1)
        octaves = functional.pad(steps, (0, -KEYS % OCTAVE))
        classes = octaves.view(duration, batch, -1, OCTAVE).sum(dim=2)
        keys = torch.arange(self.low, self.high, device=steps.device)
        relative = (keys[:, None] + torch.arange(OCTAVE, device=steps.device)) % OCTAVE
        height = (2 * keys / (KEYS - 1) - 1).expand(duration, batch, -1)[..., None]
        parts = [around[:, :, self.low : self.high], classes[:, :, relative], height]
        if self.settings.beats:
            places = torch.arange(first, first + duration, device=steps.device)
            bar = functional.one_hot(places % self.settings.beats, self.settings.beats)
            parts.append(bar.to(steps)[:, None, None].expand(-1, batch, self.span, -1))
        return torch.cat(parts, dim=-1)

    def along_time(self, steps: Tensor, state: StackState,
                   first: int = 0) -> tuple[Tensor, StackState]:
        """Each key's states [T, B, span, time_hidden] after each of `steps`, and the last."""
        seen = self.seen(steps, first)
        states, after = self.time(seen.flatten(1, 2), state)
        return self.time_dropout(states).view(*seen.shape[:3], -1), after

    def along_notes(self, expected: Tensor, steps: Tensor) -> Tensor:
        """Log-odds [N, span] of keys that sound or not in `steps` [N, span], each from those below.

        `expected` [N, span, time_hidden] is what the time axis says before the steps.
        """
        below = functional.pad(steps, (self.settings.below, -1)).unfold(1, self.settings.below, 1)
        inputs = torch.cat([expected, below], dim=-1).transpose(0, 1)
        states, _ = self.note(inputs, self.note.start(len(steps)))
        return self.output(self.note_dropout(states)).float()[..., 0].t()

    def nats(self, rolls: Tensor, inside: Tensor) -> Tensor:
        states, _ = self.along_time(rolls[:, :-1].transpose(0, 1), self._start(len(rolls)))
        expected, steps = states.transpose(0, 1)[inside], rolls[:, 1:][inside]
        within = steps[:, self.low : self.high]
        losses = functional.binary_cross_entropy_with_logits(
            self.along_notes(expected, within), within, reduction="none").sum(dim=1)
        return losses + self._outside_nats(steps)

    def _outside_nats(self, steps: Tensor) -> Tensor:
        """Of the keys that the axes leave out, [N]."""
        silent = math.log1p(math.exp(-self.outside))
        surprises = steps[:, : self.low].sum(dim=1) + steps[:, self.high :].sum(dim=1)
        return surprises * self.outside + (KEYS - self.span) * silent

    def key_probabilities(self, roll: Tensor) -> Tensor:
        states, _ = self.along_time(roll[:-1, None], self._start(1))
        found = roll.new_full((len(roll) - 1, KEYS), 1 / (1 + math.exp(self.outside)))
        found[:, self.low : self.high] = torch.sigmoid(
            self.along_notes(states[:, 0], roll[1:, self.low : self.high]))
        return found

    def begin(self, count: int) -> tuple[StackState, int]:
        return self._start(count), 0

    def _start(self, count: int) -> StackState:
        return self.time.start(count * self.span)

    def read(self, step: Tensor,
             state: tuple[StackState, int]) -> tuple[Tensor, tuple[StackState, int]]:
        before, number = state
        states, after = self.along_time(step[None], before, number)
        return states[0], (after, number + 1)

    def draw(self, expected: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
        """Key after key; those that the axes leave out stay silent."""
        count, reach = len(expected), self.settings.below
        chosen = expected.new_zeros(count, reach + self.span)
        state = self.note.start(count)
        for key in range(self.span):
            inputs = torch.cat([expected[:, key], chosen[:, key : key + reach]], dim=-1)
            states, state = self.note(inputs[None], state)
            log_odds = self.output(self.note_dropout(states))[0, :, 0]
            chosen[:, reach + key] = sounding(log_odds, temperature, generator)
        return functional.pad(chosen[:, reach:], (self.low, KEYS - self.high))
