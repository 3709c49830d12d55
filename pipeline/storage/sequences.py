"""Token sequences on disk: one int32 stream and the offsets that cut it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.storage.arrays import write_array
from pipeline.storage.ragged import Ragged, write_offsets


def write_sequences(directory: Path, name: str, sequences: Sequence[Sequence[int]]) -> None:
    """Write `<name>.npy`, the stream, and `<name>.offsets.npy`, where each sequence starts."""
    stream = np.fromiter((token for sequence in sequences for token in sequence), np.int32)
    write_array(directory / f"{name}.npy", stream)
    write_offsets(directory, name, [len(sequence) for sequence in sequences])


class Sequences(Ragged):
    """Read-only view of what `write_sequences` wrote."""

    def __init__(self, directory: Path, name: str) -> None:
        super().__init__(directory, name, "", np.int32, ())

    # What a token indexes is a Python list more often than an array.
    def __getitem__(self, item: int) -> list[int]:  # type: ignore[override]
        return super().__getitem__(item).tolist()

    def padded(self, items: NDArray[np.int64],
               padding: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The named sequences as [items, longest], `padding` after each end, and their lengths."""
        starts = self.offsets[items]
        lengths = self.offsets[items + 1] - starts
        positions = np.arange(lengths.max())
        inside = positions < lengths[:, None]
        tokens = self.rows[np.where(inside, starts[:, None] + positions, 0)]
        return np.where(inside, tokens, padding).astype(np.int64), lengths
