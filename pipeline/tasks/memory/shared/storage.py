"""Sequences of input vectors on disk: one float32 stream [steps, features] and its offsets."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.storage.arrays import write_array
from pipeline.storage.ragged import Ragged, write_offsets


def write_inputs(directory: Path, name: str, sequences: Sequence[NDArray[np.float32]]) -> None:
    """Write `<name>.inputs.npy` and `<name>.offsets.npy`, where each sequence starts."""
    write_array(directory / f"{name}.inputs.npy", np.concatenate(sequences))
    write_offsets(directory, name, [len(sequence) for sequence in sequences])


class Inputs(Ragged):
    """Read-only view of what `write_inputs` wrote."""

    def __init__(self, directory: Path, name: str) -> None:
        super().__init__(directory, name, ".inputs", np.float32)

    def padded(self, items: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Sequences as [longest, items, features], zeros after each end, and their lengths."""
        starts = self.offsets[items]
        lengths = self.offsets[items + 1] - starts
        steps = np.arange(lengths.max())[:, None]
        inside = steps < lengths
        found = self.rows[np.where(inside, starts + steps, 0)]
        return np.where(inside[..., None], found, np.float32(0)), lengths
