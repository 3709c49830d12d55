"""How every language model writes down what it thought of the test text."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.storage.numbers import on_grid
from pipeline.storage.predictions import Prediction
from pipeline.tasks.language_model.shared.items import read_items, read_unit

_BITS = {"word": 20, "character": 14}


def by_item(losses: NDArray[np.floating], data: Path) -> Iterator[Prediction]:
    """One prediction a test item from the nats of every unit, shape [tokens].

    Twenty significant bits change a perplexity in its sixth digit at most and keep files small. Of
    characters there are five times as many, and fourteen bits of each change no more.
    """
    bits = _BITS[read_unit(data)]
    start = 0
    for item in read_items(data):
        values = np.abs(losses[start : start + item.length]).astype(np.float64).tolist()
        yield {"id": item.id, "nll": [on_grid(value, value, bits) for value in values]}
        start += item.length
