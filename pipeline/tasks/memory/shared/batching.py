"""Batches of sequences of equal or similar length, with their targets."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.nn.batching import shuffled_batches, sorted_by_length
from pipeline.storage.arrays import read_array
from pipeline.systems.base import Batch
from pipeline.tasks.memory.shared.storage import Inputs


class LaggedBatches:
    """Batches of one split: `inputs` [T, B, features], `lengths` [B] and `targets` [B]."""

    def __init__(self, directory: Path, split: str, batch: int, seed: int) -> None:
        self.inputs = Inputs(directory, split)
        self.targets = read_array(directory / f"{split}.targets.npy")
        self.batch = batch
        self.seed = seed

    def plan(self, epoch: int) -> list[NDArray[np.int64]]:
        generator = np.random.Generator(np.random.PCG64([self.seed, epoch]))
        order = sorted_by_length(self.inputs.lengths, generator)
        return shuffled_batches(order, self.batch, generator)

    def load(self, description: NDArray[np.int64]) -> Batch:
        inputs, lengths = self.inputs.padded(description)
        return {"inputs": torch.from_numpy(inputs), "lengths": torch.from_numpy(lengths),
                "targets": torch.from_numpy(self.targets[description])}
