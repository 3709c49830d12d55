"""A small twin with its features, for the tests of the forecasting task."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.corpora import m4
from pipeline.storage.files import read_json
from pipeline.tasks.forecast import features


@dataclass(frozen=True)
class Features:
    fit: Path
    test: Path

    @property
    def spec(self) -> dict[str, Any]:
        return read_json(self.fit / "spec.json")


def extract(corpus: Path, frequency: str, directory: Path) -> Features:
    """Features of a corpus in M4's files."""
    found = Features(directory / "fit", directory / "test")
    for folder in (found.fit, found.test):
        folder.mkdir(parents=True)
    features.extract(features.Settings(frequency=frequency), corpus, m4, found.fit, found.test)
    return found


def twin(directory: Path, frequency: str, series: int = 12) -> Features:
    """Features of `series` generated series."""
    settings = m4.Settings(module="m4", frequencies=[frequency],
                           twin=m4.TwinSettings(seed=5, series=series))
    m4.prepare(settings, directory / "corpus", None)
    return extract(directory / "corpus", frequency, directory / "features")
