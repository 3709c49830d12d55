"""Recurrent generator: from a start state, one state after the other, each its own next input.

The lectures' one-to-many network. y_0 is the start, and the state before the first step follows
from it too, h_0 = tanh(b + W y_0); h_t = cell(y_{t-1}, h_{t-1}), and y_t = y_{t-1} + c + V h_t, so
the network says how the state changes. At test time y_{t-1} is always what it has answered itself,
and its errors come back to it.

In training it may read its own answers too (free running: gradients pass through all of them), or
the correct state instead (teacher forcing: Williams and Zipser 1989), or at each step either, the
correct one less and less often (scheduled sampling: Bengio et al. 2015; as there, no gradient
passes from such a step to the answer that it reads). Validation runs free, as the test does, so of
each training the epoch counts that generates best.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from pipeline.entries import Entry, SystemSettings, TrainingSettings, VariantSettings
from pipeline.nn.cells import Cell, State, layer
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Batch, NeuralSystem
from pipeline.tasks.trajectory.shared.answers import answers
from pipeline.tasks.trajectory.shared.batching import PathBatches
from pipeline.tasks.trajectory.shared.starts import read_starts


class Sampling(Entry):
    """The correct state is read with probability max(least, 1 - fall * epoch), epochs from 0."""

    fall: float = Field(ge=0)
    least: float = Field(ge=0, le=1)


class Settings(SystemSettings):
    """A recurrent entry of `systems`."""

    cell: Cell
    hidden: int = Field(ge=1)
    reads: Literal["own", "correct"] | Sampling = Field(
        description="in training: its own answers (free running), correct states (teacher "
                    "forcing), or a mixture (scheduled sampling)")
    batch_paths: int = Field(ge=1)
    training: TrainingSettings


class Generator(NeuralSystem):
    """Inside, each coordinate is less its mean and in units of its standard deviation."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        coordinates = len(spec["coordinates"])
        self.initial = nn.Linear(coordinates, settings.hidden)
        self.layer = layer(settings.cell, coordinates, settings.hidden)
        self.output = nn.Linear(settings.hidden, coordinates)

    def batches(self, data: Path, split: str, seed: int) -> PathBatches:
        return PathBatches(data, split, self.settings.batch_paths, seed)

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Squared error of all states in squared units, mean over coordinates; terms are states."""
        paths = self._standardised(batch["paths"])
        reads = self.settings.reads if self.training else "own"
        if reads == "own":
            found = self.generate(paths[:, 0], paths.shape[1] - 1)
        elif reads == "correct":
            found = self.follow(paths[:, :-1])
        else:
            truth = max(reads.least, 1 - reads.fall * batch["epoch"])
            found = self.follow(self._sampled(paths[:, :-1], truth))
        squares = (found.float() - paths[:, 1:]) ** 2
        return squares.mean(dim=2).sum(), float(squares.shape[0] * squares.shape[1])

    def follow(self, inputs: Tensor) -> Tensor:
        """Answers [B, T, coordinates] to `inputs` of the same shape, the start first."""
        states, _ = self.layer(inputs.transpose(0, 1), self._before(inputs[:, 0]))
        return inputs + self.output(states.transpose(0, 1))

    def generate(self, starts: Tensor, steps: int) -> Tensor:
        """States [B, steps, coordinates] behind `starts` [B, coordinates], running free."""
        read, state = starts, self._before(starts)
        found = []
        for _ in range(steps):
            outputs, state = self.layer(read[None], state)
            read = read + self.output(outputs[0])
            found.append(read)
        return torch.stack(found, dim=1)

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        return answers(np.stack([*self.alone(self._path, read_starts(data))]), data)

    def _path(self, start: NDArray[np.float64]) -> NDArray[np.float32]:
        """States [steps, coordinates] behind a start [coordinates]."""
        begin = torch.tensor(start[None], dtype=torch.float32, device=self.device)
        found = self.generate(self._standardised(begin), self.spec["steps"])[0]
        scale, mean = (found.new_tensor(self.spec[name]) for name in ("scale", "mean"))
        return (found * scale + mean).cpu().numpy()

    @torch.no_grad()
    def _sampled(self, correct: Tensor, truth: float) -> Tensor:
        """`correct` [B, T, coordinates] with each state but the first kept with `truth`.

        The others are what the network answers to the inputs before them.
        """
        kept = torch.rand(correct.shape[:2], device=correct.device) < truth
        inputs, state = [correct[:, 0]], self._before(correct[:, 0])
        for step in range(1, correct.shape[1]):
            outputs, state = self.layer(inputs[-1][None], state)
            answer = inputs[-1] + self.output(outputs[0])
            inputs.append(torch.where(kept[:, step, None], correct[:, step], answer))
        return torch.stack(inputs, dim=1)

    def _before(self, starts: Tensor) -> State:
        """The state before the first step; a memory cell begins empty."""
        _, *memory = self.layer.start(len(starts))
        return torch.tanh(self.initial(starts))[None], *memory

    def _standardised(self, states: Tensor) -> Tensor:
        return (states - states.new_tensor(self.spec["mean"])) / states.new_tensor(
            self.spec["scale"])
