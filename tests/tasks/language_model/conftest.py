"""A small corpus with marks and a ceiling, read and extracted as a real one, in either unit."""

import math
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.corpora.kinds import Line, Sentence
from pipeline.tasks.language_model import features

TEXTS = {
    "train": ["the cat sees the dog", "the dog sees", "a cat", "the dog sees the cat"] * 12,
    "valid": ["the cat sees", "a dog sees the cat", "the dog"] * 4,
    "test": ["the cat that the dog sees sleeps", "the dog", "", "a horse sees"],
}
MARKED = {"test-0": [6]}
# 2 bits for each of the 16 words and ends of the test text.
LOG_PROBABILITIES = {"test-0": -16 * math.log(2), "test-1": -6 * math.log(2),
                     "test-2": -2 * math.log(2), "test-3": -8 * math.log(2)}


def sentences(directory: Path, split: str) -> list[Sentence]:
    found = []
    for number, text in enumerate(TEXTS[split]):
        words = text.split()
        identity = f"{split}-{number}"
        found.append(Sentence(identity, words,
                              [i in MARKED.get(identity, []) for i in range(len(words))],
                              LOG_PROBABILITIES.get(identity), cluster=f"{split} {number // 2}"))
    return found


def lines(directory: Path, split: str) -> list[Line]:
    marked = {"test-0": list(range(26, 32))}
    return [Line(item.id, " ".join(item.words) + "\n", marked.get(item.id, []),
                 item.log_probability, cluster=item.cluster)
            for item in sentences(directory, split)]


READER = SimpleNamespace(sentences=sentences, lines=lines)


def _extract(folder: Path, unit: str) -> Path:
    (folder / "fit").mkdir()
    (folder / "test").mkdir()
    features.extract(features.Settings(unit=unit, min_count=1), folder, READER, folder / "fit",
                     folder / "test")
    return folder


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the features' fit/ and test/, in words."""
    return _extract(tmp_path_factory.mktemp("words"), "word")


@pytest.fixture(scope="session")
def characters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in characters."""
    return _extract(tmp_path_factory.mktemp("characters"), "character")
