"""What the networks that read piano rolls have in common: batches, loss, prediction, composition.

A network reads whole pieces from the first step on, so its state at a step knows all before it,
and what follows a piece's end in a batch changes nothing.
"""

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pipeline.entries import SystemSettings, TrainingSettings, VariantSettings
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Batch, NeuralSystem
from pipeline.tasks.music.shared.answers import answers
from pipeline.tasks.music.shared.batching import Pieces
from pipeline.tasks.music.shared.composing import Composing, compose
from pipeline.tasks.music.shared.rolls import Roll, Rolls


class RollSettings(SystemSettings):
    """Hyper-parameters that all networks over rolls have."""

    transpose: int = Field(ge=0, le=24, description="semitones that a training piece is moved by, "
                                                    "at most, up or down, anew in each epoch")
    batch_pieces: int = Field(ge=1)
    training: TrainingSettings


class RollModel(NeuralSystem):
    """p(keys of a step | all steps before it)."""

    Options: ClassVar = Composing
    settings: RollSettings

    @abstractmethod
    def nats(self, rolls: Tensor, inside: Tensor) -> Tensor:
        """Negative log-likelihoods of steps, each of all 88 keys, shape [predicted steps].

        Of `rolls` [B, T, KEYS], the steps from the second on where `inside` [B, T - 1] is true, in
        its order.
        """

    @abstractmethod
    def key_probabilities(self, roll: Tensor) -> Tensor:
        """p(key sounds) [T - 1, KEYS] at the steps of `roll` [T, KEYS] from the second on.

        Given the steps before and, where keys are predicted one after the other, the lower keys.
        """

    @abstractmethod
    def begin(self, count: int) -> Any:
        """The state before anything was read."""

    @abstractmethod
    def read(self, step: Tensor, state: Any) -> tuple[Tensor, Any]:
        """What `draw` needs to know after a step [count, KEYS], and the state."""

    @abstractmethod
    def draw(self, expected: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
        """A next step [count, KEYS] of zeros and ones."""

    def batches(self, data: Path, split: str, seed: int) -> Pieces:
        transpose = self.settings.transpose if split == "train" else 0
        return Pieces(data, split, self.settings.batch_pieces, transpose, seed)

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Negative log-likelihood in nats; the terms are predicted steps."""
        inside = _inside(batch["rolls"], batch["lengths"])
        found = self.nats(batch["rolls"], inside)
        return found.sum(), float(len(found))

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        return answers(self.alone(self._nats_of, Rolls(data, "test")), data)

    def _nats_of(self, roll: Roll) -> np.ndarray:
        """Nats of the steps of one roll from the second on."""
        (steps,) = self.from_arrays(np.array(roll)[None])
        inside = torch.ones(1, len(roll) - 1, dtype=torch.bool, device=self.device)
        return self.nats(steps.float(), inside).double().cpu().numpy()

    def create(self, options: Composing, trained: Any) -> Iterator[Roll]:
        """Pieces, as `unrolled create` asks for them; the same seed gives the same ones."""
        with self.answering():
            pieces = compose(self, options)
        yield from pieces

    @torch.no_grad()
    def expected(self, roll: Roll) -> np.ndarray:
        """`key_probabilities` of a roll as it lies on disk."""
        self.eval()
        (steps,) = self.from_arrays(np.array(roll))
        return self.key_probabilities(steps.float()).cpu().numpy()


def _inside(rolls: Tensor, lengths: Tensor) -> Tensor:
    """Which predicted steps [B, T - 1] of `rolls` [B, T, KEYS] are within `lengths` [B]."""
    return torch.arange(1, rolls.shape[1], device=rolls.device) < lengths[:, None]
