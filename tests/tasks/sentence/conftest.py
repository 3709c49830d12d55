"""A small corpus in which the first word decides, extracted as a real one."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.corpora.kinds import LabelledSentence
from pipeline.tasks.sentence import features

SIZES = {"train": 240, "valid": 60, "test": 40}


def labelled(directory: Path, split: str) -> list[LabelledSentence]:
    """Sentences of a, b and filler words; the label is the first of a and b, both occur."""
    random = np.random.default_rng(sorted(SIZES).index(split))
    found = []
    for number in range(SIZES[split]):
        first, second = random.permutation(["a", "b"])
        words = [str(first), *["so"] * int(random.integers(1, 4)), str(second),
                 *["and"] * int(random.integers(0, 3))]
        found.append(LabelledSentence(f"{split}-{number}", words, str(first).upper(),
                                      "simple" if len(words) < 5 else "composed",
                                      cluster=f"{split}-{number // 2}"))
    return found


def reader(read=labelled, ceiling: float | None = 97.5) -> SimpleNamespace:
    return SimpleNamespace(labelled=read, ceiling=lambda directory, split: ceiling)


SETTINGS = features.Settings(min_count=1, lowercase=False, classes="all", phrases=False)


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the features' fit/ and test/."""
    folder = tmp_path_factory.mktemp("sentence")
    features.extract(SETTINGS, folder, reader(), folder / "fit", folder / "test")
    return folder
