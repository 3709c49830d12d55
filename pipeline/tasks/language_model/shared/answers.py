"""How every word language model writes down what it thought of the test text."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.predictions import Prediction
from pipeline.tasks.language_model.shared.items import read_items


def by_sentence(losses: NDArray[np.floating], data: Path) -> Iterator[Prediction]:
    """One prediction a test sentence from the nats of every token, shape [tokens].

    Six significant digits change a perplexity in its sixth digit at most and keep files small.
    """
    start = 0
    for item in read_items(data):
        values = losses[start : start + item.length]
        yield {"id": item.id, "nll": [float(f"{abs(value):.6g}") for value in values]}
        start += item.length
