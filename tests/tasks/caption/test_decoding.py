"""Picture files against values by hand: every mode, orientation and format, and damaged ones."""

import io
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from pipeline.errors import UserError
from pipeline.tasks.caption.shared.decoding import FORMATS, decoded
from tests.trials import trials

Pixels = NDArray[np.uint8]
COLOURS = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
ALPHA = np.random.default_rng(1).integers(0, 256, (8, 8, 1), dtype=np.uint8)
GREYS = COLOURS[..., :1]


def shown(path: Path) -> Pixels:
    return np.asarray(decoded(path, "own"))


def on_paper(colours: NDArray, alpha: NDArray) -> NDArray[np.float64]:
    share = alpha / 255
    return np.broadcast_to(colours * share + 255 * (1 - share), (*alpha.shape[:2], 3))


def tiff(width: int, height: int, tags: dict[int, int | tuple[int, ...]], data: bytes) -> bytes:
    """A little-endian TIFF of one strip, uncompressed, written by hand."""
    entries = {256: width, 257: height, 259: 1, 273: 8, 278: height, 279: len(data), **tags}
    later = 8 + len(data) + 2 + 12 * len(entries) + 4
    head, tail = struct.pack("<2sHIH", b"II", 42, 8 + len(data), len(entries)), b""
    table = b""
    for tag, value in sorted(entries.items()):
        values = value if isinstance(value, tuple) else (value,)
        packed = struct.pack(f"<{len(values)}H", *values)
        if len(packed) > 4:
            place, tail = later + len(tail), tail + packed
            packed = struct.pack("<I", place)
        table += struct.pack("<HHI", tag, 3, len(values)) + packed.ljust(4, b"\0")
    return head[:8] + data + head[8:] + table + bytes(4) + tail


@pytest.mark.parametrize("suffix", ["png", "tif", "tga", "jp2"])
def test_colours_and_greys_with_and_without_alpha(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{suffix}"
    for colours, alpha in ((COLOURS, None), (COLOURS, ALPHA), (GREYS, None), (GREYS, ALPHA)):
        pixels = colours if alpha is None else np.dstack([colours, alpha])
        Image.fromarray(pixels.squeeze()).save(path)
        wanted = on_paper(colours, np.full((8, 8, 1), 255) if alpha is None else alpha)
        assert np.abs(shown(path) - wanted).max() <= 1


@pytest.mark.parametrize("clear", [None, 3, bytes(range(0, 64 * 4, 4))])
def test_palettes_with_and_without_transparency(clear: int | bytes | None, tmp_path: Path) -> None:
    image = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8), "P")
    image.putpalette(COLOURS.tobytes())
    image.save(tmp_path / "x.png", **({} if clear is None else {"transparency": clear}))
    alpha = np.full(64, 255)
    if isinstance(clear, bytes):
        alpha = np.frombuffer(clear, np.uint8)
    elif clear is not None:
        alpha[clear] = 0
    wanted = on_paper(COLOURS, alpha.reshape(8, 8, 1))
    assert np.abs(shown(tmp_path / "x.png") - wanted).max() <= 1


def test_black_and_white_ink_and_luminance(tmp_path: Path) -> None:
    bits = GREYS.squeeze() > 127
    Image.fromarray(bits).save(tmp_path / "x.png")
    assert (shown(tmp_path / "x.png") == np.where(bits, 255, 0)[..., None]).all()
    ink = np.dstack([255 - COLOURS, np.zeros((8, 8), np.uint8)])
    Image.fromarray(ink, "CMYK").save(tmp_path / "x.tif")
    assert np.abs(shown(tmp_path / "x.tif").astype(int) - COLOURS).max() <= 1
    Image.new("YCbCr", (8, 8), (100, 90, 160)).save(tmp_path / "y.tif")
    # JPEG's matrix (ITU-T T.871): R = Y + 1.402 (Cr - 128), and so on.
    red, blue = 100 + 1.402 * 32, 100 + 1.772 * -38
    green = 100 - 0.344136 * -38 - 0.714136 * 32
    assert np.abs(shown(tmp_path / "y.tif") - np.array([red, green, blue])).max() <= 2
    Image.new("LAB", (8, 8), (255, 128, 128)).save(tmp_path / "lab.tif")
    assert np.abs(shown(tmp_path / "lab.tif").astype(int) - 255).max() <= 2


@pytest.mark.parametrize("suffix", ["png", "tif", "jp2", "ppm"])
def test_sixteen_bits_of_grey_keep_their_levels(suffix: str, tmp_path: Path) -> None:
    values = np.linspace(0, 65535, 64).round().astype(np.uint16).reshape(8, 8)
    Image.fromarray(values).save(tmp_path / f"x.{suffix}")
    assert np.abs(shown(tmp_path / f"x.{suffix}") - (values / 257)[..., None]).max() <= 0.5


@pytest.mark.parametrize("bits, meaning", [(16, 1), (16, 0), (12, 1), (8, 0)])
def test_greys_of_a_scanner_from_black_to_white(bits: int, meaning: int, tmp_path: Path) -> None:
    values = np.array([[0, 2**bits // 4, 2**bits // 2, 2**bits - 1]] * 2)
    data = values.astype("<u2" if bits == 16 else "u1").tobytes()
    if bits == 12:
        digits = "".join(f"{value:012b}" for value in values.flat)
        data = int(digits, 2).to_bytes(len(digits) // 8, "big")
    (tmp_path / "x.tif").write_bytes(tiff(4, 2, {258: bits, 262: meaning, 277: 1}, data))
    wanted = values / (2**bits - 1) * 255
    wanted = wanted if meaning else 255 - wanted
    assert np.abs(shown(tmp_path / "x.tif") - wanted[..., None]).max() <= 1


@pytest.mark.parametrize("depth", [8, 16])
def test_a_colour_that_is_transparent(depth: int, tmp_path: Path) -> None:
    key = 50 * 256 + 7 if depth == 16 else 50
    assert np.abs(transparent_png(tmp_path, 0, [key], depth) - [255, 100]).max() <= 1
    assert np.abs(transparent_png(tmp_path, 2, [key] * 3, depth) - [255, 100]).max() <= 1


def transparent_png(folder: Path, kind: int, key: list[int], depth: int) -> NDArray[np.int64]:
    """The first channel of two pixels, of which the first has the transparent colour."""
    import zlib

    def chunk(name: bytes, data: bytes) -> bytes:
        return (struct.pack(">I", len(data)) + name + data
                + struct.pack(">I", zlib.crc32(name + data)))

    line = np.array([key, [value * 2 for value in key]], ">u2" if depth == 16 else "u1")
    (folder / "x.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, depth, kind, 0, 0, 0))
        + chunk(b"tRNS", struct.pack(f">{len(key)}H", *key))
        + chunk(b"IDAT", zlib.compress(b"\0" + line.tobytes())) + chunk(b"IEND", b""))
    return shown(folder / "x.png")[0, :, 0].astype(np.int64)


def test_colours_that_were_multiplied_by_alpha_are_not_darkened_again(tmp_path: Path) -> None:
    data = bytes([64, 32, 16, 128]) * 4
    (tmp_path / "x.tif").write_bytes(tiff(
        2, 2, {258: (8, 8, 8, 8), 262: 2, 277: 4, 338: 1}, data))
    assert np.abs(shown(tmp_path / "x.tif") - (np.array([64, 32, 16]) + 127)).max() <= 1


TURNS = {1: lambda p: p, 2: np.fliplr, 3: lambda p: np.rot90(p, 2), 4: np.flipud,
         5: lambda p: p.swapaxes(0, 1), 6: lambda p: np.rot90(p, -1),
         7: lambda p: np.rot90(p, 2).swapaxes(0, 1), 8: np.rot90}


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("orientation", TURNS)
def test_all_eight_orientations(orientation: int, suffix: str, tmp_path: Path) -> None:
    pixels = np.kron(np.arange(0, 240, 40, dtype=np.uint8).reshape(2, 3), np.ones((8, 8)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"exif": exif.tobytes()} | ({"lossless": True} if suffix == "webp" else {})
    Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"x.{suffix}", **options)
    found, wanted = shown(tmp_path / f"x.{suffix}")[..., 0], TURNS[orientation](pixels)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= 4


def swapped() -> bytes:
    """The profile of sRGB in which red and blue have changed places."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    places = {bytes(profile[at : at + 4]): at
              for at in range(132, 132 + 12 * struct.unpack(">I", profile[128:132])[0], 12)}
    red, blue = places[b"rXYZ"], places[b"bXYZ"]
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile)


@pytest.mark.parametrize("alpha", [False, True])
def test_colours_mean_what_their_profile_says(alpha: bool, tmp_path: Path) -> None:
    pixels = np.dstack([COLOURS, ALPHA]) if alpha else COLOURS
    Image.fromarray(pixels).save(tmp_path / "x.png", icc_profile=swapped())
    wanted = on_paper(COLOURS[..., ::-1], ALPHA if alpha else np.full((8, 8, 1), 255))
    assert np.abs(shown(tmp_path / "x.png") - wanted).max() <= 3
    for nonsense in (b"nonsense", swapped()[:200], bytes(500)):
        Image.fromarray(COLOURS).save(tmp_path / "y.png", icc_profile=nonsense)
        assert (shown(tmp_path / "y.png") == COLOURS).all()


@pytest.mark.parametrize("kind", ["gif", "png", "tif", "webp"])
def test_of_several_pictures_the_first_is_shown(kind: str, tmp_path: Path) -> None:
    several = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    several[0].save(tmp_path / f"x.{kind}", save_all=True, append_images=several[1:],
                    **({"lossless": True} if kind == "webp" else {}))
    assert (shown(tmp_path / f"x.{kind}") == [255, 0, 0]).all()


@pytest.mark.parametrize("name, content, message", [
    ("an empty file", b"", "cannot be read as a picture"),
    ("a drawing", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "cannot be read as a picture"),
    ("a document", b"%PDF-1.7\n", "cannot be read as a picture"),
    ("a PostScript program", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\nshowpage\n",
     "cannot be read as a picture"),
    ("floats", tiff(2, 2, {258: 32, 262: 1, 277: 1, 339: 3}, bytes(16)), "floating-point"),
    ("beyond white", tiff(2, 1, {258: 32, 262: 1, 277: 1},
                          struct.pack("<2I", 0, 70_000)), "greys from 0 to 70000"),
    ("below black", tiff(2, 1, {258: 16, 262: 1, 277: 1, 339: 2},
                         struct.pack("<2h", -5, 5)), "greys from -5 to 5"),
    ("no pixels", tiff(0, 0, {258: 8, 262: 1, 277: 1}, b""), "cannot be read as a picture"),
    ("too many pixels", tiff(60_000, 60_000, {258: 8, 262: 1, 277: 1}, b"\0"), "pixels"),
    ("more pixels than pillow warns of", tiff(10_000, 10_000, {258: 8, 262: 1, 277: 1}, b"\0"),
     "more than .* pixels.; make it smaller"),
])
def test_what_shows_no_picture_is_named(name: str, content: bytes, message: str,
                                        tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(content)
    with pytest.raises(UserError, match=f"^own .*{message}"):
        decoded(tmp_path / "x.jpg", "own")


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    for name in ("pipe.png", "folder.png", "missing.png"):
        with pytest.raises(UserError, match="own is no file"):
            decoded(tmp_path / name, "own")


def pictures() -> list[bytes]:
    """A small valid file of each format and mode."""
    found = []
    Image.init()
    for kind in FORMATS:
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"):
            buffer = io.BytesIO()
            image = (Image.fromarray(GREYS.squeeze().astype(np.uint16) * 257) if mode == "I;16"
                     else Image.fromarray(COLOURS).convert(mode))
            try:
                image.save(buffer, kind)
            except (OSError, ValueError, KeyError):
                continue  # a mode that this format lacks
            found.append(buffer.getvalue())
    return found


def edited(content: bytes, chance: random.Random) -> bytes:
    """One edit away: a byte set, a bit flipped, bytes cut out or put in."""
    place = chance.randrange(len(content))
    before, after = content[:place], content[place:]
    return chance.choice([
        before + bytes([chance.randrange(256)]) + after[1:],
        before + bytes([after[0] ^ 1 << chance.randrange(8)]) + after[1:],
        before + after[chance.choice([1, 4]):], before,
        before + bytes([chance.randrange(256)]) + after])


@pytest.mark.fuzz
def test_damaged_pictures_are_shown_or_named(tmp_path: Path) -> None:
    whole, chance = pictures(), random.Random(12)
    assert len(whole) > 40
    path = tmp_path / "x.jpg"
    named = 0
    for _ in range(trials(600, 40_000)):
        path.write_bytes(edited(chance.choice(whole), chance))
        try:
            assert shown(path).ndim == 3
        except UserError as error:
            assert str(error).startswith("own ")
            named += 1
    assert named > 100
