"""Arrays of different lengths on disk: the rows of all of them in one array, and where each begins.

Both are .npy and are read memory-mapped, so a corpus larger than memory costs nothing until its
batches are read.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.storage.arrays import read_array, write_array


def write_offsets(directory: Path, name: str, lengths: Sequence[int]) -> None:
    """Write `<name>.offsets.npy`, where each array begins and where the last one ends."""
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    write_array(directory / f"{name}.offsets.npy", offsets)


class Ragged:
    """Read-only view of the rows in `<name><kind>.npy`, cut by `<name>.offsets.npy`.

    Raises UserError when one is missing or damaged, when they do not fit together, or when the rows
    are no `numbers`, say float32, or have another shape than `row`, where that is given.
    """

    def __init__(self, directory: Path, name: str, kind: str, numbers: type[np.generic],
                 row: tuple[int, ...] | None = None) -> None:
        path = directory / f"{name}{kind}.npy"
        self.rows = read_array(path)
        self.offsets = read_array(directory / f"{name}.offsets.npy")
        wanted = self.rows.shape[1:] if row is None else row
        if not _cuts(self.offsets) or self.rows.shape != (self.offsets[-1], *wanted):
            raise UserError(f"{path} and its offsets do not fit together; remove them and run the "
                            "features stage again")
        if self.rows.dtype != numbers:
            raise UserError(f"{path} is damaged: it holds {self.rows.dtype}, not "
                            f"{np.dtype(numbers)}; remove it and run the features stage again")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, item: int) -> NDArray[Any]:
        return self.rows[self.offsets[item] : self.offsets[item + 1]]

    def __iter__(self) -> Iterator[Any]:
        """The arrays one after another, as indices give them."""
        return (self[item] for item in range(len(self)))

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.offsets)


def _cuts(offsets: NDArray[Any]) -> bool:
    """Whether these are places at which rows can be cut: from 0 on, none before the one before."""
    return bool(offsets.ndim == 1 and offsets.dtype == np.int64 and offsets.size
                and offsets[0] == 0 and (np.diff(offsets) >= 0).all())
