"""Sequences of input vectors on disk: one float32 stream [steps, features] and its offsets."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import read_array, write_array
from pipeline.errors import UserError


def write_inputs(directory: Path, name: str, sequences: Sequence[NDArray[np.float32]]) -> None:
    """Write `<name>.inputs.npy` and `<name>.offsets.npy`, where each sequence starts."""
    offsets = np.concatenate([[0], np.cumsum([len(sequence) for sequence in sequences])])
    write_array(directory / f"{name}.inputs.npy", np.concatenate(sequences))
    write_array(directory / f"{name}.offsets.npy", offsets.astype(np.int64))


class Inputs:
    """Read-only view of what `write_inputs` wrote."""

    def __init__(self, directory: Path, name: str) -> None:
        self._stream = read_array(directory / f"{name}.inputs.npy")
        self._offsets = read_array(directory / f"{name}.offsets.npy")
        if self._offsets[-1] != len(self._stream):
            raise UserError(f"{directory / name}.inputs.npy and its offsets do not fit together; "
                            "remove them and run the features stage again")

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self._offsets)

    def padded(self, items: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Sequences as [longest, items, features], zeros after each end, and their lengths."""
        starts = self._offsets[items]
        lengths = self._offsets[items + 1] - starts
        steps = np.arange(lengths.max())[:, None]
        inside = steps < lengths
        found = self._stream[np.where(inside, starts + steps, 0)]
        return np.where(inside[..., None], found, np.float32(0)), lengths
