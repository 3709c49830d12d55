"""Grids of weights, tried on validation utterances, and which of them is taken.

A recogniser adds up what several models say of sound and text, and how much each counts decides
what it answers. No likelihood of training data tells, so the search over a dictionary, the search
of letters, the ranking of an attention decoder's texts and the second pass over a list all count
word errors at every point of a small grid. All points are kept in the system's folder, for pictures
of how sharp the choice was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

_COUNTS = frozenset({"errors", "words"})


@dataclass(frozen=True)
class Tried:
    """`weights` by name, and the word errors that they make on utterances of so many `words`."""

    weights: Mapping[str, float]
    errors: int
    words: int

    def __getitem__(self, name: str) -> float:
        """The weight of that name."""
        return self.weights[name]

    @property
    def rate(self) -> float:
        """The word error rate in percent, 0 of utterances without errors and words."""
        return 100 * self.errors / max(self.words, 1)

    def to_json(self) -> dict[str, float]:
        """Weights beside the counts, all by name."""
        return {**self.weights, "errors": self.errors, "words": self.words}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `to_json` gave. Raises KeyError for anything else."""
        return cls({name: value for name, value in stored.items() if name not in _COUNTS},
                   stored["errors"], stored["words"])


def best_of(tried: Sequence[Tried]) -> Tried:
    """That with the fewest errors; of equal ones the nearest to the grid's middle, then the first.

    All of `tried`, of which there is one at least, have the same names of weights. Each name is an
    axis of the grid, whose values stand in the order in which they first come; its middle is the
    later one of an even number. Distances are steps from value to value, added over the axes. Where
    many points do as well, those at the rim are where errors begin.
    """
    axes = {name: list(dict.fromkeys(one[name] for one in tried)) for name in tried[0].weights}

    def cost(one: Tried) -> tuple[int, int]:
        return one.errors, sum(abs(axis.index(one[name]) - len(axis) // 2)
                               for name, axis in axes.items())

    return min(tried, key=cost)
