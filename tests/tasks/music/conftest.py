"""A small corpus of two-part pieces in which the chord of a step tells the next, with rests."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.tasks.music import features

SIZES = {"train": 40, "valid": 8, "test": 6}
CHORDS = [[60, 67], [62, 69], [], [64, 71], [60, 72]]


def pieces(directory: Path, split: str) -> list[SimpleNamespace]:
    """Pieces of 3 to 9 steps that go round the chords from a random one."""
    random = np.random.default_rng(sorted(SIZES).index(split))
    found = []
    for number in range(SIZES[split]):
        start, length = random.integers(len(CHORDS)), random.integers(3, 10)
        steps = [CHORDS[(start + step) % len(CHORDS)] for step in range(length)]
        found.append(SimpleNamespace(id=f"{split}-{number}", steps=steps,
                                     nats=[0.5] * (length - 1) if split == "test" else None))
    return found


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the features' fit/ and test/."""
    folder = tmp_path_factory.mktemp("music")
    features.extract(features.Settings(), folder, SimpleNamespace(pieces=pieces),
                     folder / "fit", folder / "test")
    return folder
