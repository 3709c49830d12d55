"""The tiny corpus and its features, made once."""

from pathlib import Path

import pytest

from pipeline.corpora import librispeech
from pipeline.tasks.asr.features import Settings, extract
from tests.tasks.asr import spoken
from tests.tasks.asr.corpus import FEATURES, write_corpus

SIZES = {"train": 60, "dev": 8, "test-clean": 8, "test-other": 4}


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"), SIZES)


@pytest.fixture(scope="session")
def features(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `fit` and `test`."""
    directory = tmp_path_factory.mktemp("features")
    for part in ("fit", "test"):
        (directory / part).mkdir()
    extract(Settings.model_validate(FEATURES), corpus, librispeech, directory / "fit",
            directory / "test")
    return directory


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `fit` and `test` of five words; two test speakers, one with another voice."""
    return spoken.write_corpus(tmp_path_factory.mktemp("words"),
                               {"plain": lambda cepstra: cepstra, "turned": spoken.turned},
                               {"train": 60, "valid": 4, "test": 16})
