"""All pairs of up to three bits to learn from, extracted as a real corpus."""

from itertools import product
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.corpora.binary_addition import Addition
from pipeline.tasks.addition import features

LENGTHS = {"train": (1, 2, 3), "valid": (3,), "test": (2, 3, 5)}


def addition(identity: str, first: int, second: int, bits: int) -> Addition:
    return Addition(identity, f"{first:0{bits}b}", f"{second:0{bits}b}",
                    f"{first + second:0{bits + 1}b}")


def additions(directory: Path, split: str) -> list[Addition]:
    return [addition(f"{split}-{bits}-{first}-{second}", first, second, bits)
            for bits in LENGTHS[split]
            for first, second in product(range(min(2**bits, 8)), repeat=2)]


def reader(read=additions) -> SimpleNamespace:
    return SimpleNamespace(additions=read, ceiling=lambda directory, split: 100.0)


SETTINGS = features.Settings(bits=6)


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the features' fit/ and test/."""
    folder = tmp_path_factory.mktemp("addition")
    features.extract(SETTINGS, folder, reader(), folder / "fit", folder / "test")
    return folder
