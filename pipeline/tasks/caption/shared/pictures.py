"""Pictures on disk: one array of bytes, all of one size, read memory-mapped."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pipeline.errors import UserError
from pipeline.storage.files import atomic_writer


def write_pictures(path: Path, pictures: Sequence[Path], side: int) -> None:
    """Write the pictures as uint8 [pictures, side, side, 3], one in memory at a time.

    Each is cut to a square around its middle and brought to `side` pixels; one that has this size
    keeps every pixel. Raises UserError naming the file that is no picture, and writes nothing.
    """
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(pictures), side, side, 3)}
    with atomic_writer(path) as file:
        npy.write_array_header_1_0(file, header)
        for picture in pictures:
            file.write(opened(picture, side).tobytes())


def opened(path: Path, side: int) -> NDArray[np.uint8]:
    """Pixels [side, side, 3] of a picture in any format that pillow knows."""
    try:
        with Image.open(path) as image:
            whole = image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{path} cannot be read as a picture ({error}); fetch or generate the "
                        "corpus again") from None
    return np.asarray(ImageOps.fit(whole, (side, side), Image.Resampling.BICUBIC))
