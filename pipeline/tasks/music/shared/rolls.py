"""Piano rolls: which of the 88 keys sound at each step of a piece, and rolls on disk."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.storage.arrays import write_array
from pipeline.storage.ragged import Ragged, write_offsets

KEYS = 88
LOWEST = 21  # MIDI pitch of the first key

Roll = NDArray[np.uint8]  # [steps, KEYS], 1 where a key sounds


def roll_of(steps: Sequence[Sequence[int]]) -> Roll:
    """The roll of MIDI pitches. Raises UserError for a pitch that no key has."""
    roll = np.zeros((len(steps), KEYS), np.uint8)
    for number, pitches in enumerate(steps):
        for pitch in pitches:
            if not LOWEST <= pitch < LOWEST + KEYS:
                raise UserError(f"pitch {pitch} is not among the piano's keys, {LOWEST} to "
                                f"{LOWEST + KEYS - 1}; use MIDI pitches in that range")
            roll[number, pitch - LOWEST] = 1
    return roll


def pitches_of(roll: Roll) -> list[list[int]]:
    """The MIDI pitches that sound at each step, ascending."""
    return [(np.flatnonzero(step) + LOWEST).tolist() for step in roll]


def write_rolls(directory: Path, split: str, rolls: Sequence[Roll]) -> None:
    """Write `<split>.rolls.npy` [all steps, KEYS] and `<split>.offsets.npy`."""
    write_array(directory / f"{split}.rolls.npy", np.concatenate(rolls))
    write_offsets(directory, split, [len(roll) for roll in rolls])


class Rolls(Ragged):
    """Read-only view of what `write_rolls` wrote; `rolls[i]` is piece i's."""

    def __init__(self, directory: Path, split: str) -> None:
        super().__init__(directory, split, ".rolls", np.uint8, (KEYS,))

    def padded(self, items: NDArray[np.int64]) -> Roll:
        """The named rolls as [items, longest, KEYS], silence after each end."""
        batch = np.zeros((len(items), self.lengths[items].max(), KEYS), np.uint8)
        for row, item in enumerate(items):
            roll = self[item]
            batch[row, : len(roll)] = roll
        return batch
