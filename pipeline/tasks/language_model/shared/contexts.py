"""A text as independent examples: a unit, and the units before it."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.errors import UserError
from pipeline.systems.base import Batch


class Contexts:
    """Batches of positions of the text, in an order that depends on seed and epoch alone."""

    def __init__(self, tokens: NDArray[np.integer], end: int, size: int, batch: int, seed: int,
                 shuffle: bool) -> None:
        self.text = padded(tokens, end, size)
        self.size = size
        self.batch = batch
        self.seed = seed
        self.shuffle = shuffle
        if len(tokens) == 0:
            raise UserError("the text has no tokens; fetch or generate the corpus again")

    def plan(self, epoch: int) -> list[NDArray[np.int64]]:
        """The positions of each batch."""
        count = len(self.text) - self.size
        generator = np.random.Generator(np.random.PCG64([self.seed, epoch]))
        order = generator.permutation(count) if self.shuffle else np.arange(count)
        return [order[start : start + self.batch] for start in range(0, count, self.batch)]

    def load(self, description: NDArray[np.int64]) -> Batch:
        """`contexts` [batch, size], the units before each, and `targets` [batch]."""
        places = torch.from_numpy(description)
        return {"contexts": self.text[places[:, None] + torch.arange(self.size)],
                "targets": self.text[places + self.size]}


def padded(tokens: NDArray[np.integer], end: int, size: int) -> Tensor:
    """`tokens` behind `size` ends, so that the first has a context too."""
    return torch.from_numpy(np.concatenate([np.full(size, end), tokens]).astype(np.int64))
