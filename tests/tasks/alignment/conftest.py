"""The corpus of tones and its features, made once."""

from pathlib import Path

import pytest

from pipeline.corpora import librispeech
from pipeline.tasks.alignment.features import Settings, extract
from tests.tasks.alignment.toned import FEATURES, write_corpus

SIZES = {"train": 40, "dev": 6, "test-clean": 6, "test-other": 4}


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("toned"), SIZES)


@pytest.fixture(scope="session")
def features(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `fit` and `test`."""
    directory = tmp_path_factory.mktemp("features")
    for part in ("fit", "test"):
        (directory / part).mkdir()
    extract(Settings.model_validate(FEATURES), corpus, librispeech, directory / "fit",
            directory / "test")
    return directory
