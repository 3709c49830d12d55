"""Batches of sentences of equal or similar length, with their labels."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.nn.batching import shuffled_batches, sorted_by_length
from pipeline.storage.arrays import read_array
from pipeline.storage.sequences import Sequences
from pipeline.systems.base import Batch

PADDING = 0  # any word does: what is read after a sentence's end has no effect


class Sentences:
    """Batches of one split: `tokens` [B, T], `lengths` [B] and `labels` [B]."""

    def __init__(self, directory: Path, split: str, batch: int, seed: int) -> None:
        self.sentences = Sequences(directory, split)
        self.labels = read_array(directory / f"{split}.labels.npy")
        self.batch = batch
        self.seed = seed

    def plan(self, epoch: int) -> list[NDArray[np.int64]]:
        generator = np.random.Generator(np.random.PCG64([self.seed, epoch]))
        order = sorted_by_length(self.sentences.lengths, generator)
        return shuffled_batches(order, self.batch, generator)

    def load(self, description: NDArray[np.int64]) -> Batch:
        tokens, lengths = self.sentences.padded(description, PADDING)
        return {"tokens": torch.from_numpy(tokens), "lengths": torch.from_numpy(lengths),
                "labels": torch.from_numpy(self.labels[description])}
