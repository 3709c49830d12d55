"""A small corpus with marks and a ceiling, read and extracted as a real one."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.corpora.kinds import Sentence
from pipeline.tasks.language_model import features

TEXTS = {
    "train": ["the cat sees the dog", "the dog sees", "a cat", "the dog sees the cat"] * 12,
    "valid": ["the cat sees", "a dog sees the cat", "the dog"] * 4,
    "test": ["the cat that the dog sees sleeps", "the dog", "", "a horse sees"],
}
MARKED = {"test-0": [6]}


def sentences(directory: Path, split: str) -> list[Sentence]:
    found = []
    for number, text in enumerate(TEXTS[split]):
        words = text.split()
        marks = MARKED.get(f"{split}-{number}", [])
        found.append(Sentence(f"{split}-{number}", words, [i in marks for i in range(len(words))]))
    return found


READER = SimpleNamespace(sentences=sentences, ceiling=lambda directory, split: 4.5)


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the features' fit/ and test/."""
    folder = tmp_path_factory.mktemp("lm-word")
    (folder / "fit").mkdir()
    (folder / "test").mkdir()
    features.extract(features.Settings(min_count=1), folder, READER, folder / "fit",
                     folder / "test")
    return folder
