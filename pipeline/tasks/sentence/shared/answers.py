"""Predictions of sentence classifiers."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction

_DECIMALS = 6


def answers(probabilities: NDArray[np.floating], labels: list[str],
            data: Path) -> Iterator[Prediction]:
    """A prediction for each test item from `probabilities` [items, labels]."""
    rounded = probabilities.astype(np.float64).round(_DECIMALS).tolist()
    for item, row in zip(read_json(data / "items.json"), rounded, strict=True):
        yield {"id": item["id"], "probabilities": dict(zip(labels, row, strict=True))}
