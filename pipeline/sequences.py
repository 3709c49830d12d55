"""Token sequences on disk: one int32 stream and the offsets that cut it.

Both are .npy and are read memory-mapped, so a corpus larger than memory costs nothing until its
batches are read.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import read_array, write_array
from pipeline.errors import UserError


def write_sequences(directory: Path, name: str, sequences: Sequence[Sequence[int]]) -> None:
    """Write `<name>.npy`, the stream, and `<name>.offsets.npy`, where each sequence starts."""
    lengths = [len(sequence) for sequence in sequences]
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    stream = np.fromiter((token for sequence in sequences for token in sequence), np.int32)
    write_array(directory / f"{name}.npy", stream)
    write_array(directory / f"{name}.offsets.npy", offsets)


class Sequences:
    """Read-only view of what `write_sequences` wrote."""

    def __init__(self, directory: Path, name: str) -> None:
        self._stream = read_array(directory / f"{name}.npy")
        self._offsets = read_array(directory / f"{name}.offsets.npy")
        if self._offsets[-1] != len(self._stream):
            raise UserError(f"{directory / name}.npy and its offsets do not fit together; remove "
                            "them and run the features stage again")

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, item: int) -> list[int]:
        return self._stream[self._offsets[item] : self._offsets[item + 1]].tolist()

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self._offsets)

    def padded(self, items: NDArray[np.int64],
               padding: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The named sequences as [items, longest], `padding` after each end, and their lengths."""
        starts = self._offsets[items]
        lengths = self._offsets[items + 1] - starts
        positions = np.arange(lengths.max())
        inside = positions < lengths[:, None]
        tokens = self._stream[np.where(inside, starts[:, None] + positions, 0)]
        return np.where(inside, tokens, padding).astype(np.int64), lengths
