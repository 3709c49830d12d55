"""How every tagger writes down its answers."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction
from pipeline.tasks.tagging.shared.text import Text


def by_sentence(found: NDArray[np.integer], text: Text, names: Sequence[str],
                data: Path) -> Iterator[Prediction]:
    """One prediction a test sentence from the tags `found` [all words] of `text`."""
    for item, start, end in zip(read_json(data / "items.json"), text.offsets[:-1],
                                text.offsets[1:], strict=True):
        yield {"id": item["id"], "tags": [names[tag] for tag in found[start:end]]}
