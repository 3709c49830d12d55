"""Predictions of systems that generate paths."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.storage.files import read_json
from pipeline.storage.numbers import shortened
from pipeline.storage.predictions import Prediction

_DECIMALS = 6
_DIGITS = 6  # at least, so that a path that begins next to rest is seen


def answers(paths: NDArray[np.floating], data: Path) -> Iterator[Prediction]:
    """A prediction for each test item from `paths` [items, steps, coordinates]."""
    ids = read_json(data / "items.json")["ids"]
    for identity, path in zip(ids, paths.astype(np.float64).tolist(), strict=True):
        yield {"id": identity, "path": [[shortened(value, _DECIMALS, _DIGITS) for value in state]
                                        for state in path]}
