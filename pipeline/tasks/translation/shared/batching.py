"""Batches of sentence pairs of similar length, within a budget of tokens.

Pairs are sorted by length, ties in an order drawn anew each epoch, and cut where the padded batch
would exceed the budget; then the batches are shuffled. Little padding is computed, every batch
costs about the same, and the cuts depend on lengths alone, so each epoch has as many batches.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.storage.sequences import Sequences
from pipeline.systems.base import Batch
from pipeline.tasks.translation.shared.tokenizer import BOS, PAD


def cut(lengths: NDArray[np.int64], budget: int) -> list[slice]:
    """Slices over items of ascending `lengths`: items times longest stays within `budget`.

    An item that is longer than the budget is a batch of its own.
    """
    slices, start = [], 0
    for end in range(1, len(lengths) + 1):
        if end == len(lengths) or lengths[end] * (end + 1 - start) > budget:
            slices.append(slice(start, end))
            start = end
    return slices


@dataclass(frozen=True)
class PlannedBatch:
    """Which pairs are in a batch, and how many epochs of training come before it."""

    items: NDArray[np.int64]
    epochs: float


class PairBatches:
    """Batches of one split: `source` [B, S], `source_lengths` [B], `inputs` and `targets` [B, T].

    `inputs` begin with BOS and `targets` end with EOS: at each position the decoder sees the
    correct tokens so far and is asked for the next one. `epochs` is that of the plan.
    """

    def __init__(self, directory: Path, split: str, tokens: int, seed: int) -> None:
        self.source = Sequences(directory, f"{split}.source")
        self.target = Sequences(directory, f"{split}.target")
        self.tokens = tokens
        self.seed = seed

    def plan(self, epoch: int) -> list[PlannedBatch]:
        generator = np.random.Generator(np.random.PCG64([self.seed, epoch]))
        source, target = self.source.lengths, self.target.lengths
        longest = np.maximum(source, target)
        order = np.lexsort((generator.random(len(source)), source, longest))
        batches = [order[part] for part in cut(longest[order], self.tokens)]
        return [PlannedBatch(batches[index], epoch + place / len(batches))
                for place, index in enumerate(generator.permutation(len(batches)))]

    def load(self, description: PlannedBatch) -> Batch:
        source, source_lengths = self.source.padded(description.items, PAD)
        targets, _ = self.target.padded(description.items, PAD)
        inputs = np.concatenate([np.full((len(targets), 1), BOS), targets[:, :-1]], axis=1)
        arrays = {"source": source, "source_lengths": source_lengths, "inputs": inputs,
                  "targets": targets}
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        return {**tensors, "epochs": description.epochs}
