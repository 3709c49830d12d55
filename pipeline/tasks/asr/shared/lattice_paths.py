"""When the words of a hypothesis were said: the best of its paths through a lattice.

An n-best list names word sequences, each of which has many paths; a search for the best sentence
knows the times of that one alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.decoding.lattice import Lattice

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class SpokenPath:
    """Words from frame `starts` to behind frame `ends`; `acoustic` is the path's score.

    That holds all but language model and words, which no path of the same words changes.
    """

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    acoustic: float


def path_of(lattice: Lattice, words: Sequence[int]) -> SpokenPath:
    """The best path of a lattice that says `words` and nothing else, pauses aside.

    Raises ValueError where none does.
    """
    # Of links: whether they say the word that comes next when as many words have been said.
    says = lattice.is_word[:, None] & (lattice.labels[:, None] == np.array(words, np.int64))
    best = np.full((lattice.nodes, len(words) + 1), -np.inf)
    best[0, 0] = 0.0
    for group in lattice.groups:
        np.maximum.at(best, lattice.targets[group], _behind(lattice, group, says, best))
    node, said = lattice.nodes - 1, len(words)
    score = float(best[node, said])
    if score == -np.inf:
        raise ValueError("the lattice has no path that says these words")
    starts: list[int] = []
    ends: list[int] = []
    while node or said:
        links = slice(*np.searchsorted(lattice.targets, [node, node + 1]))
        place = links.start + int(_behind(lattice, links, says, best)[:, said].argmax())
        before = int(lattice.sources[place])
        if lattice.is_word[place]:
            starts.append(int(lattice.frames[before]))
            ends.append(int(lattice.frames[node]))
            said -= 1
        node = before
    return SpokenPath(tuple(reversed(starts)), tuple(reversed(ends)), score)


def _behind(lattice: Lattice, links: slice, says: NDArray[np.bool_], best: Scores) -> Scores:
    """The best score behind links when 0, 1, ... words have been said, [links, words + 1]."""
    before = best[lattice.sources[links]] + lattice.acoustic[links, None]
    found = np.where(lattice.is_word[links, None], -np.inf, before)
    found[:, 1:] = np.where(says[links], before[:, :-1], found[:, 1:])
    return found
