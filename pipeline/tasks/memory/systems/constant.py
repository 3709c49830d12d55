"""The answer of who remembers nothing: the mean of the training targets, or their commonest class.

No system without memory can do better than this on average, so it is the line that a net has to
leave before it can be said to have learnt anything over a lag.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pipeline.entries import SystemSettings, VariantSettings
from pipeline.storage.arrays import read_array
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Run, System
from pipeline.tasks.memory.shared.answers import answer_of


class Settings(SystemSettings):
    """No hyper-parameters."""


class Constant(System):
    """`outputs` [outputs] is the answer to everything: a mean, or how often each class occurs."""

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.answer = answer_of(spec)
        self.outputs = torch.zeros(self.answer.outputs)

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        targets = np.array(read_array(data / "train.targets.npy"))
        counts = ([targets.mean(dtype=np.float64)] if self.spec["classes"] is None
                  else np.bincount(targets, minlength=self.answer.outputs))
        self.outputs = torch.tensor(np.array(counts, np.float32))
        return []

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        items = len(read_json(data / "items.json"))
        return self.answer.predictions(self.outputs.expand(items, -1), data)

    def tensors(self) -> Mapping[str, Tensor]:
        return {"outputs": self.outputs}

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        if tensors["outputs"].shape != self.outputs.shape:
            raise RuntimeError(f"expected {len(self.outputs)} outputs, got "
                               f"{len(tensors['outputs'])}")
        self.outputs = tensors["outputs"]

    @property
    def parameters_count(self) -> int:
        return len(self.outputs)
