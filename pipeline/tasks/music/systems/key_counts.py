"""Each key by itself, counted: how often it sounds, or how often after it did or did not sound.

The baselines of polyphonic music. A key that knows only its own last step says "go on as before":
most steps of a chorale keep some notes, so that alone is worth a lot, and a recurrent network must
beat it by what it knows of the other keys and of the time before.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from pipeline.entries import SystemSettings, VariantSettings
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Run, System
from pipeline.tasks.music.shared.answers import answers
from pipeline.tasks.music.shared.rolls import KEYS, Roll, Rolls


class Frequency(VariantSettings):
    """p(key sounds)."""

    given: Literal["nothing"]
    prior: float = Field(gt=0, description="added to the counts of sounding and of silence")


class LastStep(VariantSettings):
    """p(key sounds | it did or did not at the last step)."""

    given: Literal["last_step"]
    prior: float = Field(gt=0, description="added to the counts of sounding and of silence")


Variant = Annotated[Frequency | LastStep, Field(discriminator="given")]


class Settings(SystemSettings):
    """A counting entry of `systems`."""

    variants: dict[str, Variant] = Field(min_length=1)


class KeyCounts(System):
    """`counts` [2, 2, KEYS]: steps of the training split by sound before, sound now, and key."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.counts = np.zeros((2, 2, KEYS))

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        rolls = Rolls(data, "train")
        for item in range(len(rolls)):
            before, now = rolls[item][:-1], rolls[item][1:]
            for was in (0, 1):
                for sounds in (0, 1):
                    self.counts[was, sounds] += ((before == was) & (now == sounds)).sum(axis=0)
        return []

    def predict(self, data: Path, variant: Variant) -> Iterator[Prediction]:
        rolls = Rolls(data, "test")
        return answers((self.nats(rolls[item], variant) for item in range(len(rolls))), data)

    def nats(self, roll: Roll, variant: Variant) -> NDArray[np.float64]:
        """Negative log-likelihood of each step of `roll` [T, KEYS] from the second on, [T - 1]."""
        sounds = self.probabilities(variant)[roll[:-1].astype(int), np.arange(KEYS)]
        return -np.log(np.where(roll[1:] == 1, sounds, 1 - sounds)).sum(axis=1)

    def probabilities(self, variant: Variant) -> NDArray[np.float64]:
        """p(key sounds), shape [2, KEYS], by whether it sounded at the last step."""
        counts = self.counts
        if isinstance(variant, Frequency):
            counts = np.broadcast_to(counts.sum(axis=0), counts.shape)
        return (counts[:, 1] + variant.prior) / (counts.sum(axis=1) + 2 * variant.prior)

    def tensors(self) -> Mapping[str, Tensor]:
        return {"counts": torch.from_numpy(self.counts)}

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        self.counts = tensors["counts"].numpy()

    @property
    def parameters_count(self) -> int:
        """One probability for each key and each of its last states."""
        return 2 * KEYS
