"""Time-synchronous Viterbi beam search through a network, many utterances at once.

After each frame, what is known of a path is its node, its score and where its last word began: a
token (Young, Russell and Thornton 1989, "Token passing"). Of the tokens that meet in a node the
best one goes on. A beam drops those that are worse than the utterance's best by more than its
width, and histogram pruning all but a number of them (Steinbiss, Tran and Ney 1994, "Improvements
in beam search"); work is done for the tokens that are left, not for the network.

The tokens of a few utterances take each step together, because a step is some forty calls of numpy
whatever it holds; with more of them, their tables leave the processor's cache, and nothing is
gained. No sum or comparison crosses utterances, so an answer does not depend on its company.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.decoding.log import PERIOD, Log
from pipeline.decoding.network import NOTHING, Network, Weights
from pipeline.decoding.trace import Recognition, Trace, best_words

Ids = NDArray[np.int64]
Scores = NDArray[np.float64]

UTTERANCES_AT_ONCE = 4


@dataclass(frozen=True)
class Beam:
    """`width` is in the units of scores; `most` tokens are kept of an utterance (those that equal
    the last one, too), None for any number.

    Lattices may ask for what lies within `lattice` of the best sentence, None for `width`. Whatever
    lies further off is forgotten in utterances of many frames, to save memory.
    """

    width: float = np.inf
    most: int | None = None
    lattice: float | None = None

    @property
    def kept(self) -> float:
        """How far from the best sentence paths are kept for lattices."""
        return self.width if self.lattice is None else self.lattice


class Search:
    """Raises ValueError for a beam that keeps nothing."""

    def __init__(self, network: Network, weights: Weights, beam: Beam) -> None:
        if (not beam.width >= 0 or not beam.kept >= 0
                or beam.most is not None and beam.most < 1):
            raise ValueError(f"a beam needs widths of 0 at least and a token at least, got {beam}")
        self.network, self.weights, self.beam = network, weights, beam
        self.arc_scores = weights.of_arcs(network)
        self.end_scores = weights.of_ends(network)

    def recognise(self, utterances: Sequence[NDArray[np.floating]],
                  lattices: bool = False) -> list[Recognition]:
        """The best words of utterances, each given as log P(frame | tied state), [T, states].

        With `lattices`, what `word_lattice` needs is kept. Any number may be added to a frame's
        scores; -inf is a state that the frame cannot have. Where no path is left within an
        utterance, it is answered as unfinished by what was best before. Raises ValueError for other
        shapes and for scores that are no number or +inf.
        """
        for place, scores in enumerate(utterances):
            if scores.ndim != 2 or scores.shape[1] <= self.network.states.max():
                raise ValueError(f"utterance {place} has scores of shape {scores.shape}, expected "
                                 f"[frames, {self.network.states.max() + 1} states at least]")
            if not (scores < np.inf).all():
                raise ValueError(f"utterance {place} has scores that are no number or +inf")
        longest_first = sorted(range(len(utterances)), key=lambda place: -len(utterances[place]))
        found: dict[int, Recognition] = {}
        for start in range(0, len(longest_first), UTTERANCES_AT_ONCE):
            places = longest_first[start : start + UTTERANCES_AT_ONCE]
            traces = _Batch(self, [utterances[place] for place in places], lattices).traces()
            found.update((place, best_words(self.network, self.weights, trace))
                         for place, trace in zip(places, traces, strict=True))
        return [found[place] for place in range(len(utterances))]


@dataclass(frozen=True)
class _Tokens:
    """Tokens in the order of their keys (utterance * nodes + node).

    `pasts` are entries of words: of the word that goes on, or that has come to an end.
    """

    keys: Ids
    scores: Scores
    pasts: Ids

    def kept(self, which: Ids | NDArray[np.bool_] | slice) -> "_Tokens":
        return _Tokens(self.keys[which], self.scores[which], self.pasts[which])


class _Batch:
    """Utterances that are searched together, and what is known of them at one time."""

    def __init__(self, search: Search, utterances: Sequence[NDArray[np.floating]],
                 lattices: bool) -> None:
        self._search, self._network = search, search.network
        self._lengths = np.array([len(scores) for scores in utterances])
        self._utterances = utterances
        nodes, count = self._network.nodes, len(utterances)
        self._edges = np.arange(count + 1) * nodes
        self._node = np.tile(np.arange(nodes), count)
        self._utterance = np.repeat(np.arange(count), nodes)
        # Of each key: the best score that has come to it, and the past of that path.
        self._best = np.full(count * nodes, -np.inf)
        self._past = np.zeros(count * nodes, np.int64)
        self._floors = np.full(count, -np.inf)
        self._open = np.ones(count, bool)
        self._log = Log(self._network, search.arc_scores, count,
                        search.beam.kept if lattices else None, self._heard)

    def traces(self) -> list[Trace]:
        nothing = np.zeros(0, np.int64)
        tokens = _Tokens(nothing, np.zeros(0), nothing)
        starts = self._edges[:-1] + self._network.start
        ends = _Tokens(starts, np.zeros(len(starts)), np.full(len(starts), NOTHING))
        for frame in range(int(self._lengths.max()) + 1):
            if frame > 0:
                ends = self._leave(tokens, frame)
            ends = replace(ends, pasts=self._log.add_ends(ends.keys, ends.scores, ends.pasts,
                                                          frame))
            if (over := self._open & (self._lengths == frame)).any():
                self._close(over, frame, tokens, ends)
                ends = ends.kept(self._open[self._utterance[ends.keys]])
            before, tokens = tokens, self._enter(ends, frame)
            self._log.add_tokens(tokens.keys, tokens.scores, frame)
            lost = self._open & (np.diff(np.searchsorted(tokens.keys, self._edges)) == 0)
            if lost.any():
                self._close(lost, frame, before, ends.kept(slice(0)))
            if not self._open.any():
                break
            if frame % PERIOD == PERIOD - 1:
                self._log.forget(frame, tokens.pasts)
        return self._log.traces()

    def _leave(self, tokens: _Tokens, frame: int) -> _Tokens:
        """Stay and follow arcs out of states; the tokens that have come to boundaries."""
        nodes = self._node[tokens.keys]
        self._best[tokens.keys] = tokens.scores + self._network.stay[nodes]
        self._past[tokens.keys] = tokens.pasts
        places, arcs = self._network.leaving(nodes)
        keys = (tokens.keys - nodes)[places] + self._network.targets[arcs]
        self._come(keys, tokens.scores[places] + self._search.arc_scores[arcs],
                   tokens.pasts[places])
        found = np.flatnonzero(self._best > -np.inf)
        ended = found[self._node[found] < self._network.boundaries]
        ends = _Tokens(ended, self._best[ended], self._past[ended])
        self._best[ended] = -np.inf
        floors = np.where(self._lengths > frame, self._floors, -np.inf)
        return ends.kept(ends.scores >= floors[self._utterance[ended]])

    def _enter(self, ends: _Tokens, frame: int) -> _Tokens:
        """Begin words behind `ends`, whose pasts are their numbers, hear a frame, and prune."""
        nodes = self._node[ends.keys]
        places, arcs = self._network.leaving(nodes)
        keys = (ends.keys - nodes)[places] + self._network.targets[arcs]
        # Only what the beam keeps becomes an entry: until then its past is a negative number that
        # says which of these arcs it came by.
        self._come(keys, ends.scores[places] + self._search.arc_scores[arcs],
                   NOTHING - 1 - np.arange(len(keys)))
        found = np.flatnonzero(self._best > -np.inf)
        scores = self._best[found] + self._heard(found, frame)
        self._best[found] = -np.inf
        kept = self._within(found, scores)
        tokens = _Tokens(found[kept], scores[kept], self._past[found[kept]])
        begun = np.flatnonzero(tokens.pasts < NOTHING)
        came = NOTHING - 1 - tokens.pasts[begun]
        tokens.pasts[begun] = self._log.add_entries(ends.pasts[places[came]], arcs[came])
        return tokens

    def _heard(self, keys: Ids, frame: int) -> Scores:
        """Weighted scores of a frame in keys, which are in order."""
        edges = np.searchsorted(keys, self._edges)
        states = self._network.states[self._node[keys]]
        parts = [scores[frame, states[low:high]] for scores, low, high
                 in zip(self._utterances, edges[:-1], edges[1:], strict=True) if low < high]
        return np.concatenate([np.zeros(0), *parts]) * self._search.weights.acoustic

    def _come(self, keys: Ids, scores: Scores, pasts: Ids) -> None:
        """Let paths come to `keys`; the best is kept, of equal ones the one that came first."""
        before = self._best[keys]
        np.maximum.at(self._best, keys, scores)
        won = np.flatnonzero((scores == self._best[keys]) & (scores > before))[::-1]
        self._past[keys[won]] = pasts[won]

    def _within(self, keys: Ids, scores: Scores) -> Ids:
        """Which tokens the beam keeps; `_floors` become what is within its width."""
        beam = self._search.beam
        edges = np.searchsorted(keys, self._edges)
        counts = np.diff(edges)
        some = np.flatnonzero(counts)
        if len(some):
            self._floors[some] = np.maximum.reduceat(scores, edges[some]) - beam.width
        least = self._floors.copy()
        if beam.most is not None:
            for utterance in np.flatnonzero(counts > beam.most):
                own = scores[edges[utterance] : edges[utterance + 1]]
                place = len(own) - beam.most
                least[utterance] = max(least[utterance], np.partition(own, place)[place])
        return np.flatnonzero((scores >= np.repeat(least, counts)) & (scores > -np.inf))

    def _close(self, utterances: NDArray[np.bool_], frame: int, tokens: _Tokens,
               ends: _Tokens) -> None:
        """Let utterances end with the best of `ends`, or unfinished with the best of `tokens`."""
        self._open[utterances] = False
        for utterance in np.flatnonzero(utterances).tolist():
            low, high = self._edges[utterance : utterance + 2]
            self._best[low:high] = -np.inf
            mine = ends.kept(slice(*np.searchsorted(ends.keys, [low, high])))
            finals = self._search.end_scores[self._node[mine.keys]]
            can_end = finals > -np.inf
            if can_end.any():
                self._log.finish(utterance, frame, mine.pasts[can_end], finals[can_end])
                continue
            mine = tokens.kept(slice(*np.searchsorted(tokens.keys, [low, high])))
            best = np.argsort(-mine.scores, kind="stable")[:1]
            self._log.cut_off(utterance, frame, mine.scores[best], mine.pasts[best])
