"""Connectionist temporal classification: from a distribution per frame to a string of symbols.

An alignment gives each frame a symbol or the blank; its string has repeats merged and then blanks
removed, and the probability of a string is the sum over its alignments (Graves et al. 2006).
`best_path` takes the most probable alignment. `prefix_beam_search` takes the most probable string
among the prefixes that it keeps, times what a language model says of it (Hannun et al. 2014).

The prefixes of many utterances take each step together, because a step is some eighty calls of
numpy whatever it holds: one utterance alone is searched many times more slowly than in company. No
sum or comparison crosses utterances, so an answer does not depend on its company.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Scores = NDArray[np.float64]

BLANK = 0
# So many prefixes take a step together: their arrays stay in the processor's cache.
_ROWS_AT_ONCE = 3000
_LEAST = np.finfo(np.float64).min
_MOST_UTTERANCES_AT_ONCE = 128


class PrefixModel(Protocol):
    """What is known of strings besides the sound; scores are added to log-probabilities.

    What the model remembers of a prefix is an integer, and it is asked about many prefixes at once.
    """

    def start(self) -> int:
        """State of the empty prefix."""

    def extend(self, states: Ids, symbols: Ids) -> tuple[Scores, Ids]:
        """Score of each symbol after a prefix, -inf where it may not follow, and the state of the
        longer prefix; all of shape [n].
        """

    def finish(self, states: Ids) -> Scores:
        """Score of ending each string here, -inf where it may not end; shape [n]."""


@dataclass(frozen=True)
class Hypothesis:
    """A string and its score: log-probability of its alignments that were kept, plus the model's.

    The score is -inf where the model forbids the string to end.
    """

    symbols: list[int]
    score: float


def best_path(emissions: NDArray[np.floating]) -> list[int]:
    """String of the most probable alignment of `emissions` [frames, symbols], blank at 0."""
    return collapse(emissions.argmax(axis=-1))


def collapse(alignment: Sequence[int] | NDArray[np.integer]) -> list[int]:
    """The string of an alignment: repeats merged, then blanks removed."""
    path = np.asarray(alignment)
    begins = np.ones(len(path), bool)
    begins[1:] = path[1:] != path[:-1]
    return path[begins & (path != BLANK)].tolist()


def string_log_probability(emissions: NDArray[np.floating], symbols: Sequence[int]) -> float:
    """Natural log of a string's probability, summed over its alignments.

    `emissions` are log-probabilities [frames, symbols], blank at 0. The result is -inf for a string
    that needs more frames than there are. This is CTC's forward recursion over the string with a
    blank around each symbol.
    """
    states = np.full(2 * len(symbols) + 1, BLANK)
    states[1::2] = symbols
    # A blank may be left out between two different symbols.
    skips = np.flatnonzero((states[2:] != BLANK) & (states[2:] != states[:-2]))
    logs = np.full(len(states), -np.inf)
    logs[0] = 0.0  # before the first frame, as if a blank stood there
    for frame in np.asarray(emissions, np.float64):
        before = logs.copy()
        logs[1:] = np.logaddexp(before[1:], before[:-1])
        logs[skips + 2] = np.logaddexp(logs[skips + 2], before[skips])
        logs += frame[states]
    return float(np.logaddexp.reduce(logs[-2:]))


def prefix_beam_search(emissions: NDArray[np.floating], model: PrefixModel, beam: int,
                       least_posterior: float) -> list[int]:
    """The string with the best log-probability plus model score: see `prefix_n_best`."""
    return prefix_n_best([emissions], model, beam, least_posterior)[0][0].symbols


def prefix_n_best(utterances: Sequence[NDArray[np.floating]], model: PrefixModel, beam: int,
                  least_posterior: float, count: int = 1,
                  width: float = math.inf) -> list[list[Hypothesis]]:
    """The `count` best strings of each utterance, best first, by log-probability plus model score.

    An utterance is its log-probabilities [frames, symbols], blank at 0. After each frame its `beam`
    best prefixes are kept, without those that are worse than the best by more than `width`; a
    symbol less probable than `least_posterior` begins in no frame. With a beam as wide as the
    number of strings and no pruning the result is exact. Of equal prefixes the one counts as
    better whose beginning came first: a prefix is before those that it grows into, and these are
    in the order of their last symbols. Where no prefix that is left may end, the best of them is
    the only hypothesis, with the score -inf. Raises ValueError for a beam or count under 1, and for
    emissions that are no number or +inf.
    """
    if beam < 1 or count < 1 or not width >= 0:
        raise ValueError(f"a beam and a count of 1 at least and a width of 0 at least are needed, "
                         f"got {beam}, {count} and {width}")
    longest_first = sorted(range(len(utterances)), key=lambda place: -len(utterances[place]))
    at_once = min(max(1, _ROWS_AT_ONCE // beam), _MOST_UTTERANCES_AT_ONCE)
    found: dict[int, list[Hypothesis]] = {}
    for start in range(0, len(longest_first), at_once):
        places = longest_first[start : start + at_once]
        batch = _Batch([utterances[place] for place in places], model, beam, least_posterior, width)
        found.update(zip(places, batch.best(count), strict=True))
    return [found[place] for place in range(len(utterances))]


class _Tree:
    """All prefixes that were ever kept, by number; 0 is no prefix, and the parent of the empty."""

    def __init__(self, roots: int, symbols: int) -> None:
        self._symbols = symbols
        self._numbers: dict[int, int] = {}
        self._count = 1 + roots
        self.parents = np.zeros(1024 + self._count, np.int64)
        self._last = np.zeros_like(self.parents)
        # Where each prefix stands among those that are kept; `_Batch` writes and clears it.
        self.places = np.full_like(self.parents, -1)

    def children(self, parents: Ids, symbols: Ids) -> Ids:
        """Numbers of longer prefixes, the old ones where they have been kept before."""
        end = self._count + len(parents)
        while end > len(self.parents):
            self.parents, self._last = (np.concatenate([array, np.zeros_like(array)])
                                        for array in (self.parents, self._last))
            self.places = np.full_like(self.parents, -1)
        keys = (parents * self._symbols + symbols).tolist()
        found = np.array([*map(self._numbers.setdefault, keys, range(self._count, end))], np.int64)
        self.parents[found], self._last[found] = parents, symbols
        self._count = end
        return found

    def string(self, prefix: int) -> list[int]:
        symbols: list[int] = []
        while parent := int(self.parents[prefix]):
            symbols.append(int(self._last[prefix]))
            prefix = parent
        return symbols[::-1]


@dataclass(frozen=True)
class _Prefixes:
    """Prefixes that are kept, of one utterance after the other, best first.

    `blank` and `symbol` are log-probabilities over the frames so far, of alignments that end with
    the blank and of those that end with the prefix's last symbol: only the former can begin the
    same symbol anew. `total` is that of both, `score` the model's of the prefix.
    """

    utterance: Ids
    node: Ids
    last: Ids
    state: Ids
    score: Scores
    blank: Scores
    symbol: Scores
    total: Scores

    def rows(self, which: Ids | slice) -> Self:
        return type(self)(self.utterance[which], self.node[which], self.last[which],
                          self.state[which], self.score[which], self.blank[which],
                          self.symbol[which], self.total[which])

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts])
                     for field in fields(cls)))


@dataclass(frozen=True)
class _Longer:
    """Each prefix that is kept with each likely symbol of its frame, in this order.

    `bounds` say which of them grow out of each prefix, and where all end; `parents` are rows of the
    prefixes. `logs` are log-probabilities, none of an alignment that ends with the blank; `scores`
    are the model's.
    """

    bounds: Ids
    parents: Ids
    symbols: Ids
    states: Ids
    logs: Scores
    scores: Scores


class _Batch:
    """Utterances that are searched together, the longest first."""

    def __init__(self, utterances: Sequence[NDArray[np.floating]], model: PrefixModel, beam: int,
                 least_posterior: float, width: float) -> None:
        self._model, self._beam, self._width = model, beam, width
        self._lengths = np.array([len(emissions) for emissions in utterances])
        self._firsts = np.cumsum(self._lengths) - self._lengths
        self._emissions = np.concatenate(utterances).astype(np.float64)
        if not (self._emissions < np.inf).all():
            raise ValueError("an utterance has emissions that are no number or +inf")
        likely = np.exp(self._emissions) >= least_posterior
        likely[:, BLANK] = False
        # What may begin in each frame: frame by frame, and each symbol's place in its frame.
        frames, self._symbols = np.nonzero(likely)
        self._logs = self._emissions[frames, self._symbols]
        self._counts = likely.sum(axis=1)
        self._begins = np.cumsum(self._counts) - self._counts
        self._columns = np.where(likely, np.cumsum(likely, axis=1) - 1, -1)
        self._tree = _Tree(len(utterances), likely.shape[1])

    def best(self, count: int) -> list[list[Hypothesis]]:
        """The `count` best strings of each utterance, best first."""
        utterances = len(self._lengths)
        zeros = np.zeros(utterances)
        nothing = np.full(utterances, BLANK)
        now = _Prefixes(np.arange(utterances), np.arange(1, utterances + 1), nothing,
                        np.full(utterances, self._model.start()), zeros, zeros, zeros - np.inf,
                        zeros)
        ended = []
        for frame in range(int(self._lengths[0])):
            edge = int(np.searchsorted(now.utterance, np.count_nonzero(self._lengths > frame)))
            if edge < len(now.utterance):
                ended.append(now.rows(slice(edge, None)))
                now = now.rows(slice(edge))
            now = self._step(now, frame)
        return self._strings(_Prefixes.joined([now, *ended[::-1]]), count)

    def _step(self, now: _Prefixes, frame: int) -> _Prefixes:
        """The best of all prefixes that one more frame can lead to."""
        frames = self._firsts[now.utterance] + frame
        cells = frames * self._emissions.shape[1] + now.last
        last, columns = self._emissions.ravel()[cells], self._columns.ravel()[cells]
        longer = self._longer(now, frames, last, columns)
        # The same prefixes, some of which also grow out of others that are kept.
        blank = now.total + self._emissions[frames, BLANK]
        symbol = now.symbol + last
        again, met = self._met(now, columns, longer.bounds)
        symbol[again] = np.logaddexp(symbol[again], longer.logs[met])
        same = _Prefixes(now.utterance, now.node, now.last, now.state, now.score, blank, symbol,
                         np.logaddexp(blank, symbol))

        # Where each utterance's prefixes begin, and where all end.
        edges = now.utterance.searchsorted(np.arange(now.utterance[-1] + 2))
        worth = same.total + same.score
        floors = self._floors(worth, edges)
        worth, source = _in_order(worth, longer, again, met)
        chosen = source[self._chosen(worth, edges + longer.bounds[edges], floors)]
        return self._kept(same, longer, chosen)

    def _longer(self, now: _Prefixes, frames: Ids, last: Scores, columns: Ids) -> _Longer:
        """`last` are the emissions of the prefixes' last symbols in `frames`, and `columns` the
        places of these symbols among those likely, -1 for others.
        """
        counts = self._counts[frames]
        bounds = np.concatenate([[0], np.cumsum(counts)])
        firsts = bounds[:-1]
        parents = np.repeat(np.arange(len(counts)), counts)
        which = np.repeat(self._begins[frames] - firsts, counts) + np.arange(len(parents))
        symbols = self._symbols[which]
        logs = self._logs[which] + now.total[parents]
        twice = (columns >= 0).nonzero()[0]
        logs[firsts[twice] + columns[twice]] = now.blank[twice] + last[twice]
        gains, states = self._model.extend(now.state[parents], symbols)
        return _Longer(bounds, parents, symbols, states, logs, now.score[parents] + gains)

    def _kept(self, same: _Prefixes, longer: _Longer, chosen: Ids) -> _Prefixes:
        """Those that are `chosen`, of which the longer are counted behind the others."""
        begun = (chosen >= len(same.node)).nonzero()[0]
        grown = chosen[begun] - len(same.node)
        chosen[begun] = longer.parents[grown]
        kept, symbols = same.rows(chosen), longer.symbols[grown]
        kept.node[begun] = self._tree.children(kept.node[begun], symbols)
        kept.last[begun], kept.state[begun] = symbols, longer.states[grown]
        kept.score[begun], kept.blank[begun] = longer.scores[grown], -np.inf
        kept.symbol[begun] = kept.total[begun] = longer.logs[grown]
        return kept

    def _met(self, now: _Prefixes, columns: Ids, bounds: Ids) -> tuple[Ids, Ids]:
        """Prefixes that are kept and also grow out of others that are, and the longer ones that
        they are; `columns` and `bounds` are those of `_longer`.
        """
        tree = self._tree
        tree.places[now.node] = np.arange(len(now.node))
        parents = tree.places[tree.parents[now.node]]
        tree.places[now.node] = -1
        again = ((parents >= 0) & (columns >= 0)).nonzero()[0]
        return again, bounds[parents[again]] + columns[again]

    def _floors(self, worth: Scores, edges: Ids) -> Scores:
        """What a prefix of each utterance is worth at least if it is kept: as many as the beam
        holds are there already.
        """
        full = edges[1:] - edges[:-1] == self._beam
        return np.where(full, np.minimum.reduceat(worth, edges[:-1]), -np.inf)

    def _chosen(self, worth: Scores, edges: Ids, floors: Scores) -> Ids:
        """Which the beam keeps, best first within utterances, which lie between `edges`."""
        best = np.maximum.reduceat(worth, edges[:-1])
        least = np.maximum(np.maximum(best - self._width, floors), _LEAST)
        keep = worth >= least.repeat(edges[1:] - edges[:-1])
        keep[edges[:-1][best == -np.inf]] = True
        found = keep.nonzero()[0]
        firsts = found.searchsorted(edges)
        sizes = firsts[1:] - firsts[:-1]
        table = np.full((len(sizes), sizes.max()), np.inf)
        table[np.arange(table.shape[1]) < sizes[:, None]] = -worth[found]
        order = table.argsort(axis=1, kind="stable")[:, : self._beam]
        return found[(order + firsts[:-1, None])[np.arange(order.shape[1]) < sizes[:, None]]]

    def _strings(self, last: _Prefixes, count: int) -> list[list[Hypothesis]]:
        scores = last.total + last.score + self._model.finish(last.state)
        edges = np.searchsorted(last.utterance, np.arange(len(self._lengths) + 1))
        found = []
        for first, end in zip(edges, edges[1:], strict=False):
            order = first + np.argsort(-scores[first:end], kind="stable")[:count]
            ranked = [Hypothesis(self._tree.string(node), score) for node, score
                      in zip(last.node[order].tolist(), scores[order].tolist(), strict=True)]
            found.append([one for one in ranked if one.score > -math.inf] or ranked[:1])
        return found


def _in_order(same: Scores, longer: _Longer, again: Ids, met: Ids) -> tuple[Scores, Ids]:
    """The worth of prefixes that stay the same and of longer ones, in the order of the ties, and
    which each is: the longer are counted behind the others.

    Each prefix stands before those that it grows into. Where it is itself one of those (`again`
    and `met`), it stands in the earlier of the two places, and the other holds nothing.
    """
    places = np.concatenate([np.arange(len(same)) + longer.bounds[:-1],
                             np.arange(len(longer.parents)) + longer.parents + 1])
    source, worth = np.empty(len(places), np.int64), np.empty(len(places))
    source[places] = np.arange(len(places))
    worth[places] = np.concatenate([same, longer.logs + longer.scores])
    old, new = places[again], places[len(same) + met]
    worth[new] = -np.inf
    moved = (new < old).nonzero()[0]
    old, new = old[moved], new[moved]
    source[new], worth[new], worth[old] = source[old], worth[old], -np.inf
    return worth, source

