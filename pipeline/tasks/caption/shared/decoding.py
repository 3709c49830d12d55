"""A picture file as red, green and blue: every mode that pillow decodes, as a viewer would show it.

Colours are sRGB, into which an embedded profile is converted; one that is damaged, or is about
other colours than the file has, is passed over, as viewers do. What is transparent is seen on white
paper. Greys of more than eight bits are scaled to white, where pillow cuts them off. Of an
animation or of several pages the first one counts, and a camera's or scanner's orientation is
followed.
"""

import re
import struct
import warnings
import zlib
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, TiffImagePlugin

from pipeline.errors import UserError

# Pillow knows more, but some of them call other programs (EPS) or are found without a mark.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "JPEG2000", "PPM", "TGA",
           "ICO", "PCX", "SGI", "QOI")
LARGEST = Image.MAX_IMAGE_PIXELS or 2**26  # pixels
_PAPER = (255, 255, 255, 255)
_BITS, _MEANING, _KIND = 258, 262, 339  # tags of TIFF: bits a sample, photometry, sample format
_WHITE_IS_ZERO, _SIGNED = 0, 2
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, AttributeError,
           ArithmeticError, RuntimeError, struct.error, zlib.error, MemoryError,
           Image.DecompressionBombError, Image.DecompressionBombWarning)


def decoded(path: Path, name: str) -> Image.Image:
    """The picture in mode RGB. Raises UserError naming the file, by `name`, that shows none."""
    if not path.is_file():
        raise UserError(f"{name} is no file, so it cannot be read as a picture; name a picture")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image, tags = _loaded(path)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UserError(f"{name} cannot be read as a picture (it has more than {LARGEST:,} "
                        "pixels); make it smaller") from None
    except _DAMAGE as error:
        reason = re.sub(r"<_io.*?>", "the file", str(error)) or type(error).__name__
        raise UserError(f"{name} cannot be read as a picture ({reason}); mend or replace the "
                        "file") from None
    if 0 in image.size:
        raise UserError(f"{name} cannot be read as a picture (it has no pixels); replace the file")
    return _coloured(image, tags, name)


def _loaded(path: Path) -> tuple[Image.Image, dict[int, Any]]:
    """The first picture, upright, and a TIFF's tags. Damaged notes about its turn say nothing."""
    # Of a file that it knows by name pillow maps uncompressed pixels, and confuses width and height
    # of a TIFF that lies on its side.
    with path.open("rb") as file, Image.open(file, formats=FORMATS) as image:
        image.load()
        tags = dict(image.tag_v2) if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
        try:
            return ImageOps.exif_transpose(image), tags
        except _DAMAGE:
            return image.copy(), tags


def _coloured(image: Image.Image, tags: dict[int, Any], name: str) -> Image.Image:
    if image.mode == "F":
        raise UserError(f"{name} has pixels of floating-point numbers, and nobody says which one "
                        "is white; export it with 8 or 16 bits a colour")
    if image.mode == "I" or image.mode.startswith("I;16"):
        return _grey(image, tags, name)
    if image.has_transparency_data:
        image = _opaque_where_due(image)
        paper = Image.new("RGBA", image.size, _PAPER)
        colours = _in_srgb(image.convert("RGB"), image.info)
        colours.putalpha(image.getchannel("A"))
        return Image.alpha_composite(paper, colours).convert("RGB")
    return _in_srgb(image, image.info)


def _opaque_where_due(image: Image.Image) -> Image.Image:
    """In mode RGBA; a transparent colour that was written with sixteen bits is cut to eight."""
    key = image.info.get("transparency")
    if image.mode == "RGB" and isinstance(key, tuple) and max(key) > 255:
        image.info["transparency"] = tuple(value >> 8 for value in key)
    return image.convert("RGBA")


def _grey(image: Image.Image, tags: dict[int, Any], name: str) -> Image.Image:
    """Whole numbers of up to sixteen bits, black at 0. 32 bits hold them in scanners' files."""
    bits = tags.get(_BITS, (16,))[0]
    white = 2**bits - 1 if bits < 16 else 65535
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > white or (bits == 16 and tags.get(_KIND) == (_SIGNED,)):
        raise UserError(f"{name} has greys from {values.min()} to {values.max()}, and what is read "
                        f"lies between 0 (black) and {white} (white); export it with 16 bits")
    key = image.info.get("transparency")
    clear = values == key if isinstance(key, int) else np.zeros(values.shape, bool)
    if tags.get(_MEANING) == _WHITE_IS_ZERO:
        values = white - values
    grey = (values * 255 / white).round().astype(np.uint8)
    return Image.fromarray(np.where(clear, np.uint8(255), grey)).convert("RGB")


def _in_srgb(image: Image.Image, notes: dict) -> Image.Image:
    profile = notes.get("icc_profile")
    if profile and image.mode in ("L", "RGB", "CMYK", "LAB"):
        try:
            found = ImageCms.profileToProfile(image, ImageCms.ImageCmsProfile(BytesIO(profile)),
                                              _srgb(), outputMode="RGB")
            return image.convert("RGB") if found is None else found
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            pass
    return image.convert("RGB")


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def squared(image: Image.Image, side: int) -> NDArray[np.uint8]:
    """The square around the middle, [side, side, 3]; one of this size keeps every pixel."""
    return np.asarray(ImageOps.fit(image, (side, side), Image.Resampling.BICUBIC))
