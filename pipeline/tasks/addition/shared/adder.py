"""What every trained adder has: batches, the loss of its sum bits, and how it answers."""

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from pipeline.entries import SystemSettings, TrainingSettings, VariantSettings
from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Batch, NeuralSystem
from pipeline.tasks.addition.shared.batching import PairBatches
from pipeline.tasks.addition.shared.storage import Pairs


class AdderSettings(SystemSettings):
    """Hyper-parameters that all adders have."""

    examples: int = Field(ge=1, description="learns from the first so many training pairs, or from "
                                            "all where there are fewer")
    updates: int = Field(ge=1, description="batches an epoch, however few the examples are")
    batch_pairs: int = Field(ge=1)
    training: TrainingSettings


class Adder(NeuralSystem):
    """Everything but the network, which gives each bit of the sum a logit."""

    settings: AdderSettings

    @abstractmethod
    def logits(self, pairs: Tensor) -> Tensor:
        """Logits [B, T] that the bits of the sums of `pairs` [B, T, 2] are 1."""

    @property
    def longest(self) -> int | None:
        """Bits of the longest numbers that the network takes; None where there is no limit."""
        return None

    def batches(self, data: Path, split: str, seed: int) -> PairBatches:
        if split == "train":
            return PairBatches(data, split, self.settings.batch_pairs, seed,
                               self.settings.examples, self.settings.updates)
        return PairBatches(data, split, self.settings.batch_pairs, seed)

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Cross-entropy of the sums' bits in nats; the terms are bits."""
        found = self.logits(batch["pairs"])
        own = torch.arange(found.shape[1], device=found.device) <= batch["lengths"][:, None]
        total = functional.binary_cross_entropy_with_logits(
            found[own].float(), batch["sums"][own], reduction="sum")
        return total, float(batch["lengths"].sum() + len(own))

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        """Answers `{"id", "sum"}`, most significant bit first, with one bit more than the pair.

        Raises UserError naming a pair that is longer than the network takes.
        """
        pairs = Pairs.read(data, "test")
        identities = [item["id"] for item in read_json(data / "items.json")]
        self._check_lengths(pairs, identities)
        for identity, bits in zip(identities, self.alone(self._sum, pairs), strict=True):
            yield {"id": identity, "sum": "".join(map(str, reversed(bits)))}

    def _sum(self, pair: NDArray[np.uint8]) -> list[int]:
        """The bits of the sum of one pair [T, 2], the least significant first."""
        (read,) = self.from_arrays(pair[None])
        return (self.logits(read.float())[0] > 0).long().tolist()

    def _check_lengths(self, pairs: Pairs, identities: list[str]) -> None:
        if self.longest is None:
            return
        longer = np.flatnonzero(pairs.lengths > self.longest)
        if longer.size:
            item = int(longer[0])
            raise UserError(f"{identities[item]}: numbers of {int(pairs.lengths[item])} bits, and "
                            f"this network takes {self.longest} at most; shorten them or ask a "
                            "recurrent one, which takes any length")
