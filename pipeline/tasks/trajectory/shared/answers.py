"""Predictions of systems that generate paths."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction

_DECIMALS = 6


def answers(paths: NDArray[np.floating], data: Path) -> Iterator[Prediction]:
    """A prediction for each test item from `paths` [items, steps, coordinates]."""
    rounded = paths.astype(np.float64).round(_DECIMALS).tolist()
    for identity, path in zip(read_json(data / "items.json")["ids"], rounded, strict=True):
        yield {"id": identity, "path": path}
