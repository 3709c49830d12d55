"""Batches of whole pieces of similar length, each moved up or down anew in every epoch.

A chorale in another key is another chorale, and there are few: transposition is to music what
shifts and flips are to pictures.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.nn.batching import shuffled_batches, sorted_by_length
from pipeline.systems.base import Batch
from pipeline.tasks.music.shared.rolls import KEYS, Roll, Rolls

_Description = tuple[NDArray[np.int64], NDArray[np.int64]]  # pieces and the semitones to move them


class Pieces:
    """Batches of one split: `rolls` [B, T, KEYS], silence after each end, and `lengths` [B].

    A piece moves by up to `transpose` semitones either way, as far as the keyboard allows.
    """

    def __init__(self, directory: Path, split: str, batch: int, transpose: int, seed: int) -> None:
        self.rolls = Rolls(directory, split)
        self.batch = batch
        self.seed = seed
        edges = np.array([_edges(self.rolls[item]) for item in range(len(self.rolls))])
        self.lowest = np.maximum(-transpose, -edges[:, 0])
        self.highest = np.minimum(transpose, KEYS - 1 - edges[:, 1])

    def plan(self, epoch: int) -> list[_Description]:
        generator = np.random.Generator(np.random.PCG64([self.seed, epoch]))
        order = sorted_by_length(self.rolls.lengths, generator)
        moves = generator.integers(self.lowest, self.highest, endpoint=True)
        return [(items, moves[items])
                for items in shuffled_batches(order, self.batch, generator)]

    def load(self, description: _Description) -> Batch:
        items, moves = description
        rolls = self.rolls.padded(items)
        for row, semitones in enumerate(moves):
            rolls[row] = np.roll(rolls[row], semitones, axis=1)
        return {"rolls": torch.from_numpy(rolls).float(),
                "lengths": torch.from_numpy(self.rolls.lengths[items])}


def _edges(roll: Roll) -> tuple[int, int]:
    """The lowest and the highest key that sounds; the whole keyboard in a piece without a note."""
    sounding = np.flatnonzero(roll.any(axis=0))
    return (int(sounding[0]), int(sounding[-1])) if len(sounding) else (0, KEYS - 1)
