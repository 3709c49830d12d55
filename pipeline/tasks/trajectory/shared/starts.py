"""The states from which systems go on, on disk."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.storage.arrays import read_array, write_array

_NAME = "starts.npy"


def write_starts(directory: Path, starts: NDArray[np.float64]) -> None:
    """Write `starts` [items, coordinates]."""
    write_array(directory / _NAME, starts)


def read_starts(directory: Path) -> NDArray[np.float64]:
    """Raises UserError when they are missing or damaged."""
    return np.array(read_array(directory / _NAME))
