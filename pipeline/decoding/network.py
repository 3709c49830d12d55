"""The static network of a recogniser as flat arrays: HMM states, arcs between them, and words.

A node is an HMM state, which emits a frame each time it is entered or stayed in, or a boundary,
which emits nothing and stands between words. Arcs lead from state to state, from a state to a
boundary where a word or a pause ends, and from a boundary to a state where one begins; none leads
from boundary to boundary. So what happens between two frames takes two passes over arcs, whatever
the network. Each arc out of a boundary, and no other, has a label: a word, or silence.

What a language model says stands apart from the acoustic model's transitions, so one network serves
all weights of the two. `composition.py` builds it.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

NOTHING = -1


@dataclass(frozen=True)
class Network:
    """Boundaries come first among the nodes, and arcs are sorted by the node that they leave.

    `states` [nodes] is the tied state that a node emits with, `NOTHING` of the first `boundaries`;
    `stay` [nodes] the log-probability of staying in it, -inf of these. Node n's arcs are
    `first_arc[n]` to `first_arc[n + 1]`. Of each arc, `targets` is where it leads, `transitions`
    the acoustic model's log-probability (of leaving the state, of a pronunciation and of a pause or
    none), `language` the language model's, and `labels` the number of the word that begins, or
    `silence`, or `NOTHING`. A path begins in `start` and ends in a boundary, where it has
    `final_transitions` and `final_language` [boundaries], -inf where none can end.
    """

    states: NDArray[np.int64]
    stay: NDArray[np.float64]
    first_arc: NDArray[np.int64]
    targets: NDArray[np.int64]
    transitions: NDArray[np.float64]
    language: NDArray[np.float64]
    labels: NDArray[np.int64]
    final_transitions: NDArray[np.float64]
    final_language: NDArray[np.float64]
    boundaries: int
    start: int
    words: tuple[str, ...]

    @property
    def silence(self) -> int:
        """The label of a pause: the number behind the last word."""
        return len(self.words)

    @property
    def nodes(self) -> int:
        return len(self.states)

    @property
    def arcs(self) -> int:
        """Number of arcs; staying in a state is none of them."""
        return len(self.targets)

    @cached_property
    def sources(self) -> NDArray[np.int64]:
        """The node that each arc leaves, [arcs]."""
        return np.repeat(np.arange(self.nodes), np.diff(self.first_arc))

    @cached_property
    def _by_target(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Arcs by the node that they lead to, and where each node's begin among them."""
        order = np.argsort(self.targets, kind="stable")
        return order, np.searchsorted(self.targets[order], np.arange(self.nodes + 1))

    def arriving(self, nodes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All arcs that lead to `nodes`: places in `nodes`, and the arcs, both [n]."""
        order, first = self._by_target
        places, found = _ranges(first[nodes], first[nodes + 1])
        return places, order[found]

    def leaving(self, nodes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All arcs that leave `nodes`, in order: places in `nodes`, and the arcs, both [n]."""
        return _ranges(self.first_arc[nodes], self.first_arc[nodes + 1])


def _ranges(low: NDArray[np.int64],
            high: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers from low to high of each range: which range, and the numbers."""
    counts = high - low
    places = np.repeat(np.arange(len(counts)), counts)
    return places, np.arange(len(places)) + (low - np.cumsum(counts) + counts)[places]


@dataclass(frozen=True)
class Weights:
    """How parts of a score add up: acoustic * frame scores + language * log P + word * words.

    Transitions, pronunciations and pauses count once. `word` is added for each word: negative, it
    is a word insertion penalty.
    """

    acoustic: float = 1.0
    language: float = 1.0
    word: float = 0.0

    def of_arcs(self, network: Network) -> NDArray[np.float64]:
        """What each arc of a network adds to a score, [arcs]."""
        is_word = (network.labels >= 0) & (network.labels < network.silence)
        return network.transitions + self.language * network.language + self.word * is_word

    def of_ends(self, network: Network) -> NDArray[np.float64]:
        """What ending in each boundary adds to a score, [boundaries]."""
        can_end = network.final_language > -np.inf
        language = self.language * np.where(can_end, network.final_language, 0.0)
        return np.where(can_end, network.final_transitions + language, -np.inf)
