"""Feature frames on disk: one float32 matrix of all utterances, and the rows where each begins.

The matrix grows while a corpus is read, so a corpus that does not fit into memory can be written,
and is read memory-mapped.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from pipeline.storage.files import atomic_writer
from pipeline.storage.ragged import Ragged, write_offsets


def write_frames(directory: Path, split: str, utterances: Iterable[NDArray[np.float32]]) -> int:
    """Write `<split>.frames.npy` [all frames, dimension] and `<split>.offsets.npy`.

    Returns the dimension. Raises ValueError when there are no utterances or dimensions differ.
    """
    lengths: list[int] = []
    dimension = 0
    with atomic_writer(directory / f"{split}.frames.npy") as file:
        for frames in utterances:
            if not dimension:
                # A header keeps room for its first axis to grow, so it is rewritten at the end.
                dimension = frames.shape[1]
                _write_header(file, 0, dimension)
            if frames.shape[1] != dimension:
                raise ValueError(f"expected {dimension} features a frame, got {frames.shape[1]}")
            file.write(np.ascontiguousarray(frames, np.float32).tobytes())
            lengths.append(len(frames))
        if not dimension:
            raise ValueError("there are no utterances")
        file.seek(0)
        _write_header(file, sum(lengths), dimension)
    write_offsets(directory, split, lengths)
    return dimension


def _write_header(file: BinaryIO, rows: int, dimension: int) -> None:
    npy.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False,
                                      "shape": (rows, dimension)})


class Frames(Ragged):
    """Read-only view of what `write_frames` wrote; `frames[i]` is [frames, dimension]."""

    def __init__(self, directory: Path, split: str) -> None:
        super().__init__(directory, split, ".frames", np.float32)


def shift_frames(directory: Path, split: str, shifts: Sequence[NDArray[np.floating]]) -> None:
    """Add a vector [dimension] to all frames of each utterance that `write_frames` wrote.

    In place: for frames that are still being made, not for a finished folder.
    """
    path, utterances = directory / f"{split}.frames.npy", Frames(directory, split)
    matrix = np.load(path, mmap_mode="r+")
    for shift, start, end in zip(shifts, utterances.offsets[:-1], utterances.offsets[1:],
                                 strict=True):
        matrix[start:end] += shift.astype(np.float32)
    matrix.flush()
