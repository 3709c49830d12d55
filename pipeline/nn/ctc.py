"""Connectionist temporal classification: from a distribution per frame to a string of symbols.

An alignment gives each frame a symbol or the blank; its string has repeats merged and then blanks
removed, and the probability of a string is the sum over its alignments (Graves et al. 2006).
`best_path` takes the most probable alignment. `prefix_beam_search` takes the most probable string
among the prefixes that it keeps, times what a language model says of it (Hannun et al. 2014).
"""

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

BLANK = 0


class PrefixModel(Protocol):
    """What is known of a string besides the sound; scores are added to log-probabilities."""

    def start(self) -> Any:
        """State of the empty prefix."""

    def extend(self, state: Any, symbol: int) -> tuple[float, Any]:
        """Score of `symbol` after a prefix, and the state of the longer prefix."""

    def finish(self, state: Any) -> float:
        """Score of ending the string here."""


def best_path(emissions: NDArray[np.floating]) -> list[int]:
    """String of the most probable alignment of `emissions` [frames, symbols], blank at 0."""
    return collapse(emissions.argmax(axis=-1))


def collapse(alignment: Sequence[int] | NDArray[np.integer]) -> list[int]:
    """The string of an alignment: repeats merged, then blanks removed."""
    path = np.asarray(alignment)
    begins = np.ones(len(path), bool)
    begins[1:] = path[1:] != path[:-1]
    return path[begins & (path != BLANK)].tolist()


class _Prefix:
    """A node of the tree of prefixes: one string, and what the model says of it."""

    __slots__ = ("children", "parent", "score", "state", "symbol")

    def __init__(self, parent: "_Prefix | None", symbol: int, score: float, state: Any) -> None:
        self.parent = parent
        self.symbol = symbol
        self.score = score
        self.state = state
        self.children: dict[int, _Prefix] = {}

    def child(self, symbol: int, model: PrefixModel) -> "_Prefix":
        if symbol not in self.children:
            gain, state = model.extend(self.state, symbol)
            self.children[symbol] = _Prefix(self, symbol, self.score + gain, state)
        return self.children[symbol]

    def string(self) -> list[int]:
        symbols: list[int] = []
        node = self
        while node.parent is not None:
            symbols.append(node.symbol)
            node = node.parent
        return symbols[::-1]


# Log-probability of a prefix over the frames so far, of alignments that end with the blank and of
# those that end with the prefix's last symbol: only the former can begin the same symbol anew.
_Beam = dict[_Prefix, tuple[float, float]]


def prefix_beam_search(emissions: NDArray[np.floating], model: PrefixModel, beam: int,
                       least_posterior: float) -> list[int]:
    """The string with the best log-probability plus model score.

    `emissions` are log-probabilities [frames, symbols], blank at 0. After each frame the `beam`
    best prefixes are kept; a symbol less probable than `least_posterior` begins in no frame. With
    a beam as wide as the number of strings and no pruning the result is exact.
    """
    prefixes: _Beam = {_Prefix(None, BLANK, 0.0, model.start()): (0.0, -math.inf)}
    for frame in np.asarray(emissions, np.float64):
        likely = np.flatnonzero(np.exp(frame) >= least_posterior)
        extended = _advance(prefixes, frame.tolist(), likely[likely != BLANK].tolist(), model)
        kept = sorted(extended.items(), key=_total, reverse=True)[:beam]
        prefixes = dict(kept)
    best = max(prefixes.items(), key=lambda item: _total(item) + model.finish(item[0].state))
    return best[0].string()


def _advance(prefixes: _Beam, frame: list[float], likely: list[int], model: PrefixModel) -> _Beam:
    """All prefixes that one more frame can lead to."""
    extended: _Beam = {}

    def add(prefix: _Prefix, blank: float, symbol: float) -> None:
        before = extended.get(prefix)
        extended[prefix] = (blank, symbol) if before is None else (
            _log_sum(before[0], blank), _log_sum(before[1], symbol))

    for prefix, (blank, symbol) in prefixes.items():
        total = _log_sum(blank, symbol)
        add(prefix, total + frame[BLANK], symbol + frame[prefix.symbol])
        for candidate in likely:
            begin = blank if candidate == prefix.symbol else total
            if begin > -math.inf:
                add(prefix.child(candidate, model), -math.inf, begin + frame[candidate])
    return extended


def _total(item: tuple[_Prefix, tuple[float, float]]) -> float:
    prefix, (blank, symbol) = item
    return _log_sum(blank, symbol) + prefix.score


def _log_sum(a: float, b: float) -> float:
    """log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))
