"""Modified Kneser-Ney n-gram model: the strongest count-based language model, and the baseline.

The lectures' n-gram estimates P(w | last n-1 words) by counting; its zeros and its trust in rare
counts are mended by absolute discounting and by lower orders that count contexts rather than
occurrences (Kneser and Ney 1995; Chen and Goodman 1999). A sentence, or a line of characters,
begins with no memory of the one before it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from pipeline.entries import SystemSettings, VariantSettings
from pipeline.errors import UserError
from pipeline.ngram import arpa
from pipeline.ngram.kneser_ney import estimate
from pipeline.ngram.model import NgramModel
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Run, System
from pipeline.tasks.language_model.shared.answers import by_item
from pipeline.tasks.language_model.shared.stream import END, Stream


class Settings(SystemSettings):
    """A modified Kneser-Ney entry of `systems`."""

    order: int = Field(ge=1, le=20, description="units of the longest n-gram")


class KneserNey(System):
    """`model` is the fitted n-gram model, None before `fit` or `load`."""

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.model: NgramModel | None = None

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        tokens = self._closed(Stream.read(data, "train").tokens)
        self.model = estimate(tokens, len(self.spec["vocabulary"]), self._end,
                              self.settings.order)
        losses = self.token_losses(Stream.read(data, "valid").tokens)
        return [{"step": 1, "epoch": 1, "validation_loss": float(losses.mean())}]

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        return by_item(self.token_losses(Stream.read(data, "test").tokens), data)

    def token_losses(self, tokens: NDArray[np.integer]) -> NDArray[np.float64]:
        """Nats of each of `tokens`."""
        return -self._fitted.score(self._closed(tokens))[: len(tokens)]

    def export(self, directory: Path) -> None:
        arpa.write(directory / "model.arpa", self._fitted, self.spec["vocabulary"])

    def tensors(self) -> Mapping[str, Tensor]:
        return {name: torch.from_numpy(np.ascontiguousarray(array))
                for name, array in self._fitted.arrays().items()}

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        if f"keys.{self.settings.order}" not in arrays:
            raise KeyError(f"keys.{self.settings.order}")
        self.model = NgramModel.from_arrays(len(self.spec["vocabulary"]), self._end, arrays)

    @property
    def parameters_count(self) -> int:
        """Number of n-grams, each with one probability."""
        return self._fitted.size

    @property
    def _end(self) -> int:
        return self.spec["vocabulary"].index(END[self.spec["unit"]])

    def _closed(self, tokens: NDArray[np.integer]) -> NDArray[np.integer]:
        """The tokens with an end behind the last line, which a split by position can cut off."""
        return tokens if tokens[-1] == self._end else np.append(tokens, self._end)

    @property
    def _fitted(self) -> NgramModel:
        if self.model is None:
            raise UserError("the n-gram model has not been fitted; run its train stage")
        return self.model
