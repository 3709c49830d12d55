"""How large a lattice may get: where everything sounds alike, everything is within the beam.

A network that has hardly learnt makes thousands of links in each frame, and they serve nobody. So
only the best are kept, by the best sentence through each. What a recogniser of use makes stays far
below these limits; then they change nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.decoding.lattice import Lattice

Ids = NDArray[np.int64]
Scores = NDArray[np.float64]

SPAN = 100  # frames in which links are counted together, a second in most front ends


@dataclass(frozen=True)
class Most:
    """`paths` within words are followed in each frame, each word and each of its beginnings by
    itself; `links` that begin in the same 100 frames are kept. Both are at least 1.
    """

    paths: int = 5000
    links: int = 50_000


MOST = Most()


def best_places(totals: Scores, most: int) -> Ids:
    """Where the `most` best are, in order; of equals the first."""
    if len(totals) <= most:
        return np.arange(len(totals))
    least = np.partition(totals, len(totals) - most)[len(totals) - most]
    better = totals > least
    equal = np.flatnonzero(totals == least)[: most - int(better.sum())]
    better[equal] = True
    return np.flatnonzero(better)


class Best:
    """Collects rows of columns in the order of time, and of each span of times the best `most`."""

    def __init__(self, most: int, *kinds: type) -> None:
        self._most = most
        self._columns: list[list[NDArray]] = [[np.zeros(0, kind)] for kind in kinds]
        self._recent: list[tuple[Scores, tuple[NDArray, ...]]] = []
        self._size = self._span = 0
        self.cut = False
        """Whether anything was left out."""

    def add(self, time: int, totals: Scores, *columns: NDArray) -> None:
        """Add rows of a time, with the score of the best sentence through each."""
        if time // SPAN != self._span:
            self._settle()
            self._span = time // SPAN
        self._recent.append((totals, columns))
        self._size += len(totals)
        if self._size > 4 * self._most:
            self._recent = [self._reduced()]
            self._size = len(self._recent[0][0])

    def columns(self) -> list[NDArray]:
        """All that was kept."""
        self._settle()
        return [np.concatenate(parts) for parts in self._columns]

    def _settle(self) -> None:
        if self._recent:
            for parts, column in zip(self._columns, self._reduced()[1], strict=True):
                parts.append(column)
        self._recent, self._size = [], 0

    def _reduced(self) -> tuple[Scores, tuple[NDArray, ...]]:
        totals = np.concatenate([part for part, _ in self._recent])
        self.cut |= len(totals) > self._most
        which = best_places(totals, self._most)
        columns = zip(*(columns for _, columns in self._recent), strict=True)
        return totals[which], tuple(np.concatenate(column)[which] for column in columns)


def connected(lattice: Lattice) -> Lattice:
    """Without links that no path goes through from the beginning to the end."""
    ahead, behind = np.zeros((2, lattice.nodes), bool)
    ahead[0] = behind[-1] = True
    for group in lattice.groups:
        ahead[lattice.targets[group][ahead[lattice.sources[group]]]] = True
    for group in reversed(lattice.groups):
        behind[lattice.sources[group][behind[lattice.targets[group]]]] = True
    kept = ahead[lattice.sources] & behind[lattice.targets]
    sources, targets = lattice.sources[kept], lattice.targets[kept]
    nodes, numbers = np.unique(np.concatenate([[0], sources, targets]), return_inverse=True)
    return Lattice(lattice.frames[nodes], numbers[1 : len(sources) + 1],
                   numbers[len(sources) + 1 :], lattice.labels[kept], lattice.acoustic[kept],
                   lattice.language[kept], lattice.is_word[kept])
