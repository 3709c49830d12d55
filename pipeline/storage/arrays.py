"""Arrays on disk: .npy files that are written whole or not at all and read memory-mapped."""

from pathlib import Path
from tokenize import TokenError

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.storage.files import atomic_writer


def write_array(path: Path, array: NDArray) -> None:
    with atomic_writer(path) as file:
        np.save(file, array, allow_pickle=False)


def map_array(path: Path) -> NDArray:
    """Memory-mapped. Raises OSError, ValueError or EOFError when it is missing or damaged."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (SyntaxError, TokenError, TypeError, OverflowError) as error:
        # NumPy reads the header of a file as Python text and lets its errors through.
        raise ValueError(f"its header is none: {error}") from None


def read_array(path: Path) -> NDArray:
    """Memory-mapped. Raises UserError when the file is missing or damaged."""
    try:
        return map_array(path)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; run the features stage") from None
    except (ValueError, EOFError) as error:
        raise UserError(f"{path} is damaged ({error}); remove it and run the features stage "
                        "again") from None
