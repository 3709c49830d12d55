"""Word lattices: which words were said when, as far as a beam search has seen, and how surely.

A node is a boundary of the network at a time, a link a word or a pause between two of them, with
the best score of its states from the one time to the other. `lattice_building.py` makes them.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.decoding.network import Weights
from pipeline.decoding.trace import Recognition

Ids = NDArray[np.int64]
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Lattice:
    """Nodes in the order of time, the beginning first and the end last; links by their targets.

    `frames` [nodes] is how many frames stand before a node (of the last one, one more than there
    are). Of links, `labels` are words, the network's silence, or `NOTHING` into the last node;
    `acoustic` holds all but `language`, the log-probability of the language model, and
    `is_word` says which weights count.
    """

    frames: Ids
    sources: Ids
    targets: Ids
    labels: Ids
    acoustic: Scores
    language: Scores
    is_word: NDArray[np.bool_]

    @property
    def nodes(self) -> int:
        return len(self.frames)

    @cached_property
    def groups(self) -> list[slice]:
        """The links into the nodes of one time, in the order of time; none leads to its own."""
        times = self.frames[self.targets]
        edges = [0, *(np.flatnonzero(np.diff(times)) + 1).tolist(), len(times)]
        return [slice(low, high) for low, high in zip(edges, edges[1:], strict=False)]

    def scores(self, weights: Weights) -> Scores:
        """Scores of links under any weights of language model and words, [links]."""
        return self.acoustic + weights.language * self.language + weights.word * self.is_word

    def posteriors(self, weights: Weights, scale: float) -> Scores:
        """P(link | utterance) of each link, [links], by sums over all paths of the lattice.

        Scores are multiplied by `scale`: frames are not independent, as HMMs take them to be, so
        sums need flatter scores than the best path. One over the language model's weight is usual
        (Wessel et al. 2001).
        """
        scores = scale * self.scores(weights)
        ahead, behind = np.full((2, self.nodes), -np.inf)
        ahead[0] = behind[-1] = 0.0
        for group in self.groups:
            _add_logs(ahead, self.targets[group], ahead[self.sources[group]] + scores[group])
        for group in reversed(self.groups):
            _add_logs(behind, self.sources[group], behind[self.targets[group]] + scores[group])
        return np.exp(ahead[self.sources] + scores + behind[self.targets] - ahead[-1])


def _add_logs(sums: Scores, places: Ids, logs: Scores) -> None:
    np.logaddexp.at(sums, places, logs)


def confidences(lattice: Lattice, recognition: Recognition, weights: Weights,
                scale: float) -> tuple[float, ...]:
    """The probability that a word was said there, for each of the best words, 0 to 1.

    In each frame, posteriors of all links with the word are summed, whatever their beginnings and
    ends; the largest of the word's frames is taken (C_max of Wessel, Schlueter, Macherey and Ney
    2001, "Confidence Measures for Large Vocabulary Continuous Speech Recognition").
    """
    posteriors = lattice.posteriors(weights, scale)
    starts, ends = lattice.frames[lattice.sources], lattice.frames[lattice.targets]
    found = []
    # Links of a word stand together, in the order of their ends; none of them is longer than the
    # longest, so those that overlap lie between two of them.
    by_label = np.argsort(lattice.labels, kind="stable")
    labels = lattice.labels[by_label]
    longest = int((ends - starts).max(initial=0))
    for word, start, end in zip(recognition.words, recognition.starts, recognition.ends,
                                strict=True):
        low, high = np.searchsorted(labels, [word, word + 1])
        own = by_label[low:high]
        low, high = np.searchsorted(ends[own], [start + 1, end + longest])
        same = own[low:high]
        same = same[starts[same] < end]
        change = np.zeros(end - start + 1)
        np.add.at(change, np.maximum(starts[same], start) - start, posteriors[same])
        np.add.at(change, np.minimum(ends[same], end) - start, -posteriors[same])
        found.append(float(min(1.0, np.cumsum(change)[:-1].max())))
    return tuple(found)
