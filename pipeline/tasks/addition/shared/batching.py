"""Batches of pairs, equally many an epoch however few examples there are.

Systems that learn from more or fewer examples are then trained with equally many updates, and a
learning curve over examples shows nothing else.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.systems.base import Batch
from pipeline.tasks.addition.shared.storage import Pairs, read_sums


class PairBatches:
    """Batches of one split: `pairs` [B, T, 2] and `sums` [B, T] as floats, `lengths` [B].

    With `updates` an epoch is so many batches of the first `examples` pairs, all of which come in
    an order drawn anew before any comes again; without, it is the whole split in its own order.
    """

    def __init__(self, directory: Path, split: str, batch: int, seed: int,
                 examples: int | None = None, updates: int | None = None) -> None:
        self.pairs = Pairs.read(directory, split)
        self.sums = read_sums(directory, split)
        self.examples = min(examples or len(self.sums), len(self.sums))
        self.batch = batch
        self.updates = updates
        self.seed = seed

    def plan(self, epoch: int) -> list[NDArray[np.int64]]:
        if self.updates is None:
            order = np.arange(self.examples)
        else:
            generator = np.random.Generator(np.random.PCG64([self.seed, epoch]))
            rounds = -(-self.updates * self.batch // self.examples)
            order = np.concatenate([generator.permutation(self.examples) for _ in range(rounds)])
            order = order[: self.updates * self.batch]
        return [order[start : start + self.batch] for start in range(0, len(order), self.batch)]

    def load(self, description: NDArray[np.int64]) -> Batch:
        steps = self.pairs.steps(description)
        return {"pairs": torch.from_numpy(self.pairs.pairs[description, :steps]).float(),
                "sums": torch.from_numpy(self.sums[description, :steps]).float(),
                "lengths": torch.from_numpy(self.pairs.lengths[description])}
