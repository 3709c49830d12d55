"""Pairs of numbers and their sums as arrays of bits, the least significant first.

All rows are as long as the longest sum that the track allows, zeros behind the number's own bits.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.storage.arrays import read_array, write_array


def columns(pairs: Sequence[tuple[str, str]], bits: int) -> tuple[NDArray, NDArray]:
    """What `write_pairs` takes of numbers of up to `bits` bits, most significant bit first.

    Both numbers of a pair have equally many.
    """
    numbers = [least_first([pair[side] for pair in pairs], bits + 1) for side in (0, 1)]
    return np.stack(numbers, axis=-1), np.array([len(first) for first, _ in pairs])


def least_first(numbers: Sequence[str], width: int) -> NDArray[np.uint8]:
    """Bits [numbers, width] from the least significant one, zeros behind the most significant."""
    return np.array([[int(bit) for bit in number[::-1].ljust(width, "0")] for number in numbers],
                    np.uint8)


def write_pairs(directory: Path, split: str, pairs: NDArray, lengths: NDArray) -> None:
    """Write `pairs` [items, bits + 1, 2] and the numbers' own bits, `lengths` [items]."""
    write_array(directory / f"{split}.pairs.npy", pairs.astype(np.uint8))
    write_array(directory / f"{split}.lengths.npy", lengths.astype(np.int64))


def write_sums(directory: Path, split: str, sums: NDArray) -> None:
    """Write `sums` [items, bits + 1]."""
    write_array(directory / f"{split}.sums.npy", sums.astype(np.uint8))


@dataclass(frozen=True)
class Pairs:
    """The pairs of one split, read memory-mapped."""

    pairs: NDArray[np.uint8]
    lengths: NDArray[np.int64]

    @classmethod
    def read(cls, directory: Path, split: str) -> "Pairs":
        """Raises UserError naming a file that is missing or damaged."""
        return cls(read_array(directory / f"{split}.pairs.npy"),
                   read_array(directory / f"{split}.lengths.npy"))

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """Each pair by itself, [its bits and one for the last carry, 2]."""
        for pair, length in zip(self.pairs, self.lengths.tolist(), strict=True):
            yield np.array(pair[: length + 1])

    def steps(self, items: NDArray[np.int64]) -> int:
        """Steps that the longest of `items` takes: its bits, and one for the last carry."""
        return int(self.lengths[items].max()) + 1


def read_sums(directory: Path, split: str) -> NDArray[np.uint8]:
    return read_array(directory / f"{split}.sums.npy")
