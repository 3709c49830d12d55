"""A small corpus with classes, questions and rated pairs, extracted as a real one."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.corpora.kinds import Analogy, RatedPair, Sentence, WordTests
from pipeline.tasks.embeddings import features

TEXTS = {
    "train": ["the cat sees the dog", "the dog sees", "a cat", "cats see the dog", "dogs see",
              "a dog sees a horse"] * 12,
    "valid": ["the cat sees", "a dog sees the cat", "cats see dogs", "unicorn"] * 4,
}
TESTS = WordTests(
    classes={"N": ["cat", "dog", "horse", "cow"], "NS": ["cats", "dogs"], "DET": ["the", "a"],
             "V": ["sees", "horse"], "LONE": ["see"]},
    analogies=[Analogy("plural", "cat", "cats", "dog", "dogs"),
               Analogy("plural", "cat", "cats", "horse", "horses"),
               Analogy("plural", "dog", "dogs", "cat", "cats"),
               Analogy("verb", "cats", "see", "cat", "sees")],
    pairs=[RatedPair("wordsim353", ("cat", "dog"), 8.0), RatedPair("wordsim353", ("cat", "a"), 1.0),
           RatedPair("wordsim353", ("dog", "sees"), 2.0),
           RatedPair("wordsim353", ("dog", "unicorn"), 5.0),
           RatedPair("simlex999", ("cats", "dogs"), 7.0)])


def sentences(directory: Path, split: str) -> list[Sentence]:
    return [Sentence(f"{split}-{number}", text.split(), cluster=f"{split}-{number}")
            for number, text in enumerate(TEXTS[split])]


READER = SimpleNamespace(sentences=sentences, word_tests=lambda directory: TESTS)


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the features' fit/ and test/."""
    folder = tmp_path_factory.mktemp("embeddings")
    features.extract(features.Settings(min_count=1, rare_below=13), folder, READER,
                     folder / "fit", folder / "test")
    return folder
