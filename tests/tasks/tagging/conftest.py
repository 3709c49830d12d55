"""A small tagged corpus with an empty sentence, unknown words and a tag that training never saw."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.corpora.kinds import TaggedSentence
from pipeline.tasks.tagging import features

TEXTS = {
    "train": ["the/DT dog/NN barks/VBZ ./.", "a/DT cat/NN will/MD sleep/VB ./.",
              "the/DT will/NN helps/VBZ the/DT cat/NN ./.", "Mary/NNP can/MD walk/VB the/DT dog/NN",
              "the/DT walk/NN can/MD help/VB Mary/NNP ./.", "dogs/NNS bark/VBP",
              "milk/NN helps/VBZ"] * 12,
    "dev": ["the/DT dogs/NNS will/MD bark/VBP ./.", "Oh/UH the/DT cat/NN", "a/DT walk/NN"] * 3,
    "test": ["the/DT horse/NN can/MD walk/VB ./.", "", "oh/UH dear/UH", "Peter/NNP barks/VBZ"],
}


def tagged(directory: Path, split: str, column: str) -> list[TaggedSentence]:
    found = []
    for number, text in enumerate(TEXTS[split]):
        pairs = [token.split("/") for token in text.split()]
        found.append(TaggedSentence(f"{split}-{number}", [word for word, _ in pairs],
                                    [tag for _, tag in pairs], cluster=f"{split}-{number // 2}"))
    return found


READER = SimpleNamespace(tagged=tagged)


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the features' fit/ and test/."""
    folder = tmp_path_factory.mktemp("tagging")
    (folder / "fit").mkdir()
    (folder / "test").mkdir()
    features.extract(features.Settings(column="xpos", generated=False), folder, READER,
                     folder / "fit", folder / "test")
    return folder
