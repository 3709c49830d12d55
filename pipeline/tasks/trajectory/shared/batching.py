"""Batches of whole paths, in an order drawn anew each epoch."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.storage.arrays import read_array
from pipeline.systems.base import Batch

_Description = tuple[int, NDArray[np.int64]]


class PathBatches:
    """Batches of one split: `paths` [B, steps + 1, coordinates], and the `epoch` they belong to."""

    def __init__(self, directory: Path, split: str, batch: int, seed: int) -> None:
        self.paths = read_array(directory / f"{split}.npy")
        self.batch = batch
        self.seed = seed

    def plan(self, epoch: int) -> list[_Description]:
        generator = np.random.Generator(np.random.PCG64([self.seed, epoch]))
        order = generator.permutation(len(self.paths))
        return [(epoch, order[start : start + self.batch])
                for start in range(0, len(order), self.batch)]

    def load(self, description: _Description) -> Batch:
        epoch, items = description
        return {"paths": torch.from_numpy(self.paths[items]).float(), "epoch": epoch}
