"""Pictures on disk: one array of bytes, all of one size, read memory-mapped."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from pipeline.storage.files import atomic_writer
from pipeline.tasks.caption.shared.decoding import decoded, squared


def write_pictures(path: Path, pictures: Sequence[Path], side: int,
                   names: Sequence[str] | None = None) -> None:
    """Write the pictures as uint8 [pictures, side, side, 3], one in memory at a time.

    Each is cut to a square around its middle and brought to `side` pixels; one that has this size
    keeps every pixel. Raises UserError naming the file that is no picture, by its name if these are
    given, and writes nothing.
    """
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(pictures), side, side, 3)}
    with atomic_writer(path) as file:
        npy.write_array_header_1_0(file, header)
        for picture, name in zip(pictures, names or map(str, pictures), strict=True):
            file.write(opened(picture, side, name).tobytes())


def opened(path: Path, side: int, name: str) -> NDArray[np.uint8]:
    """Pixels [side, side, 3] of a picture, as `shared.decoding` shows it."""
    return squared(decoded(path, name), side)
