"""Corpora and features as whoever reads them gets them: only when they are as they were written.

DVC takes a file that has the date and the size that it remembers for the file that it remembers, so
a flipped bit in the features gave other numbers without a word.
"""

from pathlib import Path

from pipeline.storage.seal import check_seal
from pipeline.suite.places import Places


def checked_corpus(places: Places, corpus: str) -> Path:
    """The folder of a corpus. Raises UserError naming a file that is missing or damaged."""
    return _checked(places, f"download@{corpus}", places.data(corpus))


def checked_fit(places: Places, track: str) -> Path:
    """The `fit` folder of a track. Raises UserError as `checked_corpus` does."""
    return _checked(places, f"features@{track}", places.fit(track))


def checked_test(places: Places, track: str) -> Path:
    """The `test` folder of a track. Raises UserError as `checked_corpus` does."""
    return _checked(places, f"features@{track}", places.test(track))


def _checked(places: Places, stage: str, folder: Path) -> Path:
    where = f"{places.suite}dvc.yaml:" if places.suite else ""
    check_seal(folder, f"'dvc repro --force --single-item {where}{stage}' makes it again")
    return folder
