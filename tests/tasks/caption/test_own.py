"""A captioner describes files: as it describes its test pictures, and whatever the files are."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import UserError
from pipeline.systems.base import System
from pipeline.tasks.caption import own
from pipeline.tasks.caption.shared.pictures import opened
from tests.tasks.answers import predictions, rows, without_ids
from tests.tasks.caption.raw import write_raw


@pytest.fixture
def captioner(make_system: Callable[..., System]) -> System:
    return make_system("attention").eval()


@pytest.mark.parametrize("model", ["attention", "each-step", "retrieval"])
def test_pictures_are_described_as_the_test_items(
        request: pytest.FixtureRequest, make_system: Callable[..., System], toy: Path, model: str,
        tmp_path: Path) -> None:
    system = (request.getfixturevalue("retrieval") if model == "retrieval" else
              make_system(model))
    files = write_raw(toy / "test", tmp_path, toy)
    for variant in system.settings.variants.values():
        found = predictions(own, system, variant, toy, files, tmp_path)
        assert found == without_ids(system.predict(toy / "test", variant))


def half(side: int = 40) -> np.ndarray:
    """A picture whose upper half is white."""
    pixels = np.zeros((side, side), np.uint8)
    pixels[: side // 2] = 255
    return pixels


def looks(path: Path) -> list[list[int]]:
    """Mean brightness of the four quarters of a square picture as a system sees it."""
    with Image.open(path) as image:
        side = image.width
    pixels = opened(path, side, "x").mean(axis=2)
    halves = (slice(side // 2), slice(side // 2, side))
    return [[round(float(pixels[rows, columns].mean())) for columns in halves]
            for rows in halves]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I"])
def test_pictures_of_any_mode_look_alike(mode: str, tmp_path: Path) -> None:
    picture = Image.fromarray(half())
    if mode in ("I;16", "I"):
        picture = Image.fromarray(half().astype(np.uint16 if mode == "I;16" else np.int32) * 257)
    else:
        picture = picture.convert("RGB").convert(mode)
    path = tmp_path / ("x.tif" if mode in ("CMYK", "I") else "x.png")
    picture.save(path)
    assert looks(path) == [[255, 255], [0, 0]]


def test_greys_of_sixteen_bits_are_scaled(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 25700, np.uint16)).save(tmp_path / "x.png")
    assert (opened(tmp_path / "x.png", 8, "x") == 100).all()


def test_what_is_transparent_is_paper(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[4:, :, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "x.png")
    assert looks(tmp_path / "x.png") == [[255, 255], [0, 0]]


@pytest.mark.parametrize("orientation, expected", [
    (1, [[255, 255], [0, 0]]), (3, [[0, 0], [255, 255]]), (6, [[0, 255], [0, 255]]),
    (8, [[255, 0], [255, 0]])])
def test_pictures_are_turned_as_the_camera_says(orientation: int, expected: list,
                                                tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(half()).save(tmp_path / "x.jpg", exif=exif, quality=100, subsampling=0)
    assert np.abs(np.array(looks(tmp_path / "x.jpg")) - expected).max() <= 3


@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"Exif\0\0MM\0*\0\0\0\x08\0\xff\x01"])
def test_damaged_notes_of_a_camera_do_no_harm(exif: bytes, tmp_path: Path) -> None:
    Image.fromarray(half()).save(tmp_path / "x.jpg", exif=exif)
    assert looks(tmp_path / "x.jpg")[0][0] > 200


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (37, 61), (2000, 1500)])
def test_pictures_of_any_size_are_described(captioner: System, toy: Path, size: tuple[int, int],
                                            tmp_path: Path) -> None:
    Image.new("RGB", size, (250, 20, 20)).save(tmp_path / "x.png")
    (row,) = rows(own, captioner, toy / "fit", tmp_path / "x.png")
    assert row["file"] == str(tmp_path / "x.png") and isinstance(row["sentence"], str)


def test_a_folder_of_pictures_is_described_in_the_order_of_names(captioner: System, toy: Path,
                                                                 tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "c.jpeg"):
        Image.new("RGB", (9, 9)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    found = rows(own, captioner, toy / "fit", tmp_path)
    assert [Path(row["file"]).name for row in found] == ["a.png", "b.JPG", "c.jpeg"]


def cut() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(half(200)).save(buffer, "JPEG")
    return buffer.getvalue()[:500]


@pytest.mark.parametrize("content", [b"", b"no picture", cut()])
def test_what_is_no_picture_is_named(captioner: System, toy: Path, content: bytes,
                                     tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(content)
    with pytest.raises(UserError, match="x.jpg cannot be read as a picture"):
        rows(own, captioner, toy / "fit", tmp_path / "x.jpg")
