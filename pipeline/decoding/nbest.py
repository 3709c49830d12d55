"""The n best different word sequences of a lattice, exactly.

Many paths of a lattice say the same words at other times. So hypotheses grow word by word from the
end, and each holds all nodes in which its words can begin, with the best score of each: the
lattice determinised as far as it is asked for (Mohri and Riley 2002, "An Efficient Algorithm for
the n-Best-Strings Problem"). What lies before a node is known exactly from a pass over the
lattice, so the hypothesis with the best sum of both comes next (A* search) and sentences are
finished in the order of their scores.
"""

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.decoding.lattice import Lattice
from pipeline.decoding.network import Weights


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


# Score and language model's part of the words from a node to the end.
_Onward = tuple[float, float]


class _Growth:
    """Hypotheses that grow from the end of a lattice to its beginning."""

    def __init__(self, lattice: Lattice, weights: Weights) -> None:
        scores = lattice.scores(weights)
        self._ahead = _best_ahead(lattice, scores)
        self._into: list[list[tuple[int, int | None, float, float]]] = [
            [] for _ in range(lattice.nodes)]
        labels = np.where(lattice.is_word, lattice.labels, -1).tolist()
        for source, target, label, score, language in zip(
                lattice.sources.tolist(), lattice.targets.tolist(), labels, scores.tolist(),
                lattice.language.tolist(), strict=True):
            self._into[target].append((source, None if label < 0 else label, score, language))

    def finished(self, count: int) -> list[Hypothesis]:
        """The best `count` sentences."""
        found: list[Hypothesis] = []
        # A hypothesis is complete, or has words to come; each is here once, so that no two
        # entries are equal up to their nodes.
        last = len(self._into) - 1
        waiting: list[tuple[float, tuple[int, ...], bool, dict[int, _Onward]]] = [
            (-self._ahead[last], (), False, {last: (0.0, 0.0)})]
        while waiting and len(found) < count:
            priority, words, complete, nodes = heapq.heappop(waiting)
            if complete:
                found.append(Hypothesis(words, -priority, nodes[0][1]))
                continue
            whole, begun = self._grown(nodes)
            if whole is not None:
                heapq.heappush(waiting, (-whole[0], words, True, {0: whole}))
            for word, before in begun.items():
                best = max(self._ahead[node] + score for node, (score, _) in before.items())
                heapq.heappush(waiting, (-best, (word, *words), False, before))
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
            for source, word, score, language in self._into[node]:
                # Pauses are passed by: what stands before them stands before the same words.
                reached = known if word is None else begun.setdefault(word, {})
                if word is None and source not in known:
                    heapq.heappush(waiting, -source)
                if source not in reached or reached[source][0] < onward + score:
                    reached[source] = (onward + score, onward_language + language)
        return known.get(0), begun


def _best_ahead(lattice: Lattice, scores: NDArray[np.float64]) -> list[float]:
    """The best score of a path from the beginning to each node."""
    best = np.full(lattice.nodes, -np.inf)
    best[0] = 0.0
    for group in lattice.groups:
        np.maximum.at(best, lattice.targets[group],
                      best[lattice.sources[group]] + scores[group])
    return best.tolist()
