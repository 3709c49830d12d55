"""How every language model writes down what it thought of the test text."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.storage.predictions import Prediction
from pipeline.tasks.language_model.shared.items import read_items, read_unit

_DIGITS = {"word": 6, "character": 4}


def by_item(losses: NDArray[np.floating], data: Path) -> Iterator[Prediction]:
    """One prediction a test item from the nats of every unit, shape [tokens].

    Six significant digits change a perplexity in its sixth digit at most and keep files small. Of
    characters there are five times as many, and four digits of each change no more.
    """
    digits = _DIGITS[read_unit(data)]
    start = 0
    for item in read_items(data):
        values = losses[start : start + item.length]
        yield {"id": item.id, "nll": [float(f"{abs(value):.{digits}g}") for value in values]}
        start += item.length
