"""Feature frames on disk: one float32 matrix of all utterances, and the rows where each begins.

The matrix grows while a corpus is read, so a corpus that does not fit into memory can be written,
and is read memory-mapped.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from pipeline.arrays import read_array, write_array
from pipeline.errors import UserError
from pipeline.files import atomic_writer


def write_frames(directory: Path, split: str, utterances: Iterable[NDArray[np.float32]]) -> int:
    """Write `<split>.frames.npy` [all frames, dimension] and `<split>.offsets.npy`.

    Returns the dimension. Raises ValueError when there are no utterances or dimensions differ.
    """
    offsets, dimension = [0], 0
    with atomic_writer(directory / f"{split}.frames.npy") as file:
        for frames in utterances:
            if not dimension:
                # A header keeps room for its first axis to grow, so it is rewritten at the end.
                dimension = frames.shape[1]
                _write_header(file, 0, dimension)
            if frames.shape[1] != dimension:
                raise ValueError(f"expected {dimension} features a frame, got {frames.shape[1]}")
            file.write(np.ascontiguousarray(frames, np.float32).tobytes())
            offsets.append(offsets[-1] + len(frames))
        if not dimension:
            raise ValueError("there are no utterances")
        file.seek(0)
        _write_header(file, offsets[-1], dimension)
    write_array(directory / f"{split}.offsets.npy", np.array(offsets, np.int64))
    return dimension


def _write_header(file: BinaryIO, rows: int, dimension: int) -> None:
    npy.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False,
                                      "shape": (rows, dimension)})


class Frames:
    """Read-only view of what `write_frames` wrote; `frames[i]` is [frames, dimension]."""

    def __init__(self, directory: Path, split: str) -> None:
        self._matrix = read_array(directory / f"{split}.frames.npy")
        self._offsets = read_array(directory / f"{split}.offsets.npy")
        if self._offsets[-1] != len(self._matrix):
            raise UserError(f"{directory / split}.frames.npy and its offsets do not fit together; "
                            "remove them and run the features stage again")

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, item: int) -> NDArray[np.float32]:
        return self._matrix[self._offsets[item] : self._offsets[item + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self._offsets)
