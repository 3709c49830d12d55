"""Batches of sequences of equal or similar length.

Sequences are sorted by length, equals in an order drawn anew each epoch, cut into batches of equal
number, and the batches are shuffled: little padding is computed, and every epoch has as many
batches.
"""

import numpy as np
from numpy.typing import NDArray


def sorted_by_length(lengths: NDArray[np.int64],
                     generator: np.random.Generator) -> NDArray[np.int64]:
    """Numbers of the sequences from the shortest to the longest, equals in random order."""
    return np.lexsort((generator.random(len(lengths)), lengths))


def shuffled_batches(order: NDArray[np.int64], size: int,
                     generator: np.random.Generator) -> list[NDArray[np.int64]]:
    """`order` cut into batches of `size`, the last one of what is left, in random order."""
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    return [batches[index] for index in generator.permutation(len(batches))]
