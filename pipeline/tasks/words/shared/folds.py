"""Folds: a network for each speaker, which never heard that speaker.

A track without held-out speakers has one fold of everything, named ALL. In one with them, the fold
of a speaker learns from the training and validation items of all others, and answers that
speaker's test items: cross-validation over speakers, so that every score is for a voice that was
never heard (Kohavi 1995, "A Study of Cross-Validation", with a speaker as a fold). Whoever is none
of the speakers, as in recordings of one's own, was heard by no network, and all may answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.storage.files import read_json

ALL = "all"


@dataclass(frozen=True)
class Fold:
    """Rows of `fit`'s training and validation items, ascending, that one network learns from.

    `name` is the speaker who is held out, or ALL.
    """

    name: str
    train: NDArray[np.int64]
    valid: NDArray[np.int64]


def names(spec: Mapping[str, Any]) -> list[str]:
    """The names of a track's folds, in their order, from the content of its `spec.json`."""
    return list(spec["folds"]) or [ALL]


def folds_of(fit: Path) -> list[Fold]:
    """The folds of the features in `fit`, in the order of `names`.

    Raises UserError where a fold has nothing to learn from or nothing to validate with.
    """
    speakers = {split: np.array([item["speaker"] for item in read_json(
        fit / f"{split}.items.json")]) for split in ("train", "valid")}
    found = [Fold(name, *(np.flatnonzero(speakers[split] != name).astype(np.int64)
                          if name != ALL else np.arange(len(speakers[split]), dtype=np.int64)
                          for split in ("train", "valid")))
             for name in names(read_json(fit / "spec.json"))]
    for fold in found:
        if not len(fold.train) or not len(fold.valid):
            raise UserError(f"{fit}: without {fold.name!r} nobody is left to learn from or to "
                            "validate with; take more speakers, or hold out none")
    return found


def answering(folds: Sequence[str], speaker: str) -> list[str]:
    """Which of the folds `names` gave answer an item of this speaker: the own one, else all."""
    return [speaker] if speaker in folds else list(folds)
