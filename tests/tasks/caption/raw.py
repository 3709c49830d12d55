"""Test pictures as files of one's own."""

from pathlib import Path

import numpy as np
from PIL import Image


def write_raw(test: Path, folder: Path, corpus: Path) -> list[Path]:
    """Write the test items of a features folder as a user would hold them."""
    pictures = np.load(test / "test.pictures.npy")
    files = [folder / f"{number:05d}.png" for number in range(len(pictures))]
    for file, picture in zip(files, pictures, strict=True):
        Image.fromarray(picture).save(file)
    return files
