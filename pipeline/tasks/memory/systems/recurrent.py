"""A net of one recurrent layer whose last state answers: what is tested is the cell's memory.

All steps but the last have no loss, so whatever a net learns about the first mark has come back
over the whole lag. Elman nets multiply a gradient with the same factor at each step and lose it
(Hochreiter 1991; Bengio et al. 1994), or let it explode, which clipping its norm cures (Pascanu et
al. 2013); LSTM and GRU add to their state instead.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from pipeline.entries import SystemSettings, TrainingSettings, VariantSettings
from pipeline.nn.cells import Cell, layer
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Batch, NeuralSystem
from pipeline.tasks.memory.shared.answers import answer_of
from pipeline.tasks.memory.shared.batching import LaggedBatches
from pipeline.tasks.memory.shared.storage import Inputs


class Settings(SystemSettings):
    """A recurrent entry of `systems`."""

    cell: Cell
    hidden: int = Field(ge=1)
    batch_sequences: int = Field(ge=1)
    training: TrainingSettings


class Recurrent(NeuralSystem):
    """One layer of `cell` and a linear output of its last state."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.answer = answer_of(spec)
        self.layer = layer(settings.cell, spec["features"], settings.hidden)
        self.output = nn.Linear(settings.hidden, self.answer.outputs)

    def outputs(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """[B, outputs] after the last step of each of `inputs` [T, B, features]."""
        states, _ = self.layer(inputs, self.layer.start(inputs.shape[1]))
        return self.output(states[lengths - 1, torch.arange(len(lengths), device=states.device)])

    def batches(self, data: Path, split: str, seed: int) -> LaggedBatches:
        return LaggedBatches(data, split, self.settings.batch_sequences, seed)

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Squared error or cross entropy of the answers; the terms are sequences."""
        outputs = self.outputs(batch["inputs"], batch["lengths"])
        return self.answer.loss(outputs, batch["targets"]), float(len(outputs))

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        found = self.alone(self._answer, Inputs(data, "test"))
        return self.answer.predictions(torch.stack([*found]), data)

    def _answer(self, sequence: NDArray[np.float32]) -> Tensor:
        """[outputs] after all of a sequence [T, features]."""
        (inputs,) = self.from_arrays(np.array(sequence)[:, None])
        return self.outputs(inputs, torch.tensor([len(sequence)], device=self.device))[0].cpu()
