"""Batches of pictures, each with all its sentences, in an order drawn anew each epoch.

A picture is looked at once for all its sentences, so the convolutions cost a fifth. Batches are as
equal as can be, because one picture alone has nothing to be normalised by.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.storage.arrays import read_array
from pipeline.storage.sequences import Sequences
from pipeline.systems.base import Batch
from pipeline.tasks.caption.shared.words import BOS, PAD


class PictureBatches:
    """`pictures` uint8 [B, side, side, 3]; `inputs`, `targets` [N, T] of N sentences; `of` [N].

    Sentence n is about picture `of[n]`. `inputs` begin with BOS and `targets` end with EOS.
    """

    def __init__(self, directory: Path, split: str, pictures: int, seed: int) -> None:
        self.pictures = read_array(directory / f"{split}.pictures.npy")
        self.sentences = Sequences(directory, f"{split}.sentences")
        self.first = read_array(directory / f"{split}.first.npy")
        self.size = pictures
        self.seed = seed

    def plan(self, epoch: int) -> list[NDArray[np.int64]]:
        generator = np.random.Generator(np.random.PCG64([self.seed, epoch]))
        order = generator.permutation(len(self.pictures))
        return np.array_split(order, -(-len(order) // self.size))

    def load(self, description: NDArray[np.int64]) -> Batch:
        numbers = [np.arange(*self.first[item : item + 2]) for item in description]
        targets, _ = self.sentences.padded(np.concatenate(numbers), PAD)
        inputs = np.concatenate([np.full((len(targets), 1), BOS), targets[:, :-1]], axis=1)
        of = np.repeat(np.arange(len(numbers)), list(map(len, numbers)))
        return {"pictures": torch.from_numpy(self.pictures[description]),
                "inputs": torch.from_numpy(inputs), "targets": torch.from_numpy(targets),
                "of": torch.from_numpy(of)}
