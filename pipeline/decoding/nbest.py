"""The n best different word sequences of a lattice, exactly.

Many paths of a lattice say the same words at other times. So hypotheses grow word by word from the
end, and each holds all nodes in which its words can begin, with the best score of each: the
lattice determinised as far as it is asked for (Mohri and Riley 2002, "An Efficient Algorithm for
the n-Best-Strings Problem"). What lies before a node is known exactly from a pass over the
lattice, so the hypothesis with the best sum of both comes next (A* search) and sentences are
finished in the order of their scores. Each has as good a sentence as its sum says, and no two have
one in common, so of those that wait only as many matter as sentences are still wanted; and what
hypotheses have in common is stored once. So neither grows with the square of an utterance's length.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from pipeline.decoding.lattice import Lattice
from pipeline.decoding.network import NOTHING, Weights


@dataclass(frozen=True)
class Hypothesis:
    """A word sequence with its best `score` and, in that, the language model's log-probability."""

    words: tuple[int, ...]
    score: float
    language: float


def n_best(lattice: Lattice, weights: Weights, count: int) -> list[Hypothesis]:
    """Up to `count` different word sequences, the best first.

    Each has the score of the best of its paths through the lattice, under any weights of language
    model and words. The order of those that are equal but for rounding has no meaning, but is
    always the same.
    """
    return _Growth(lattice, weights).finished(count)


_WAITING = 1000  # hypotheses that may wait before those that cannot win are looked for

# Score and language model's part of the words from a node to the end.
_Onward = tuple[float, float]


class _Said:
    """Words up to the end of a sentence, of which others may have the same rest.

    In order as tuples of words are.
    """

    __slots__ = ("rest", "word")

    def __init__(self, word: int, rest: "_Said | None") -> None:
        self.word, self.rest = word, rest

    def __lt__(self, other: "_Said") -> bool:
        mine, theirs = next(((one, two) for one, two in zip_longest(self, other)
                             if one != two), (0, 0))
        return theirs is not None and (mine is None or mine < theirs)

    def __eq__(self, other: object) -> bool:
        return self is other or isinstance(other, _Said) and tuple(self) == tuple(other)

    def __iter__(self) -> Iterator[int]:
        # The innermost one stands for the end, and holds no word.
        here = self
        while here.rest is not None:
            yield here.word
            here = here.rest


class _Growth:
    """Hypotheses that grow from the end of a lattice to its beginning."""

    def __init__(self, lattice: Lattice, weights: Weights) -> None:
        self._lattice = lattice
        self._scores = lattice.scores(weights)
        self._ahead = _best_ahead(lattice, self._scores)
        self._first = np.searchsorted(lattice.targets, np.arange(lattice.nodes + 1)).tolist()

    def finished(self, count: int) -> list[Hypothesis]:
        """The best `count` sentences."""
        found: list[Hypothesis] = []
        # A hypothesis is complete, or has words to come; each is here once, so that no two
        # entries are equal up to their nodes.
        last = self._lattice.nodes - 1
        waiting: list[_Waiting] = [
            (-self._ahead[last], _Said(NOTHING, None), False, {last: (0.0, 0.0)})]
        while waiting and len(found) < count:
            priority, words, complete, nodes = heapq.heappop(waiting)
            if complete:
                found.append(Hypothesis(tuple(words), -priority, nodes[0][1]))
                continue
            whole, begun = self._grown(nodes)
            if whole is not None:
                heapq.heappush(waiting, (-whole[0], words, True, {0: whole}))
            for word, before in begun.items():
                best = max(self._ahead[node] + score for node, (score, _) in before.items())
                heapq.heappush(waiting, (-best, _Said(word, words), False, before))
            if len(waiting) > max(_WAITING, 4 * count):
                waiting = _promising(waiting, count)
        return found

    def _grown(self, nodes: dict[int, _Onward]) -> tuple[_Onward | None,
                                                         dict[int, dict[int, _Onward]]]:
        """What stands before `nodes`: nothing more, and nodes in which one more word begins."""
        begun: dict[int, dict[int, _Onward]] = {}
        known, waiting = dict(nodes), [-node for node in nodes]
        heapq.heapify(waiting)
        while waiting:
            node = -heapq.heappop(waiting)
            onward, onward_language = known[node]
            for source, word, score, language in self._into(node):
                # Pauses are passed by: what stands before them stands before the same words.
                reached = known if word is None else begun.setdefault(word, {})
                if word is None and source not in known:
                    heapq.heappush(waiting, -source)
                if source not in reached or reached[source][0] < onward + score:
                    reached[source] = (onward + score, onward_language + language)
        return known.get(0), begun

    def _into(self, node: int) -> Iterator[tuple[int, int | None, float, float]]:
        """Links into a node: where from, the word if it is one, score and language model."""
        lattice, own = self._lattice, slice(*self._first[node : node + 2])
        words = [label if is_word else None for label, is_word in zip(
            lattice.labels[own].tolist(), lattice.is_word[own].tolist(), strict=True)]
        return zip(lattice.sources[own].tolist(), words, self._scores[own].tolist(),
                   lattice.language[own].tolist(), strict=True)


_Waiting = tuple[float, _Said, bool, dict[int, _Onward]]


def _promising(waiting: list[_Waiting], count: int) -> list[_Waiting]:
    """The best `count` of those that wait, and all that are equal to them but for rounding."""
    order = sorted(waiting, key=lambda one: one[0])
    most = order[count - 1][0]
    return sorted(one for one in order if one[0] <= most + 1e-9 * abs(most))


def _best_ahead(lattice: Lattice, scores: NDArray[np.float64]) -> list[float]:
    """The best score of a path from the beginning to each node."""
    best = np.full(lattice.nodes, -np.inf)
    best[0] = 0.0
    for group in lattice.groups:
        np.maximum.at(best, lattice.targets[group],
                      best[lattice.sources[group]] + scores[group])
    return best.tolist()
