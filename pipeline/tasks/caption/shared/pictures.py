"""Pictures on disk: one array of bytes, all of one size, read memory-mapped."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pipeline.errors import UserError
from pipeline.storage.files import atomic_writer

_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_PAPER = (255, 255, 255, 255)


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
    """Pixels [side, side, 3] of a picture in any format that pillow knows."""
    try:
        with Image.open(path) as image:
            whole = _coloured(ImageOps.exif_transpose(image))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{name} cannot be read as a picture ({error}); mend or replace the "
                        "file") from None
    return np.asarray(ImageOps.fit(whole, (side, side), Image.Resampling.BICUBIC))


def _coloured(image: Image.Image) -> Image.Image:
    """A picture of any mode in red, green and blue, as it looks on white paper.

    Pillow cuts greys of sixteen bits off at 255, where they are to be scaled.
    """
    if image.mode in _SIXTEEN_BITS:
        grey = np.asarray(image).clip(0, 65535).astype(np.float64) / 257
        return Image.fromarray(grey.round().astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, _PAPER), image).convert("RGB")
    return image.convert("RGB")
