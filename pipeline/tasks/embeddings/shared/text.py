"""A text as it is stored: one array of word ids in which a break follows each sentence.

Windows of words end at a break, so no word is learnt from a word of another sentence.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.storage.arrays import map_array, write_array

BREAK = -1
UNKNOWN = "<unk>"


def write_ids(directory: Path, split: str, ids: NDArray[np.int32]) -> None:
    write_array(directory / f"{split}.npy", ids)


def read_ids(directory: Path, split: str, words: int) -> NDArray[np.int32]:
    """Word ids and breaks, shape [words and breaks], memory-mapped.

    Raises UserError when the file is missing, damaged or of a larger vocabulary than `words`.
    """
    path = directory / f"{split}.npy"
    try:
        ids = map_array(path)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path} cannot be read ({error}); run the features stage again") from None
    if len(ids) == 0 or ids.min() < BREAK or ids.max() >= words:
        raise UserError(f"{path}: expected word ids below {words}; run the features stage again")
    return ids
