"""Transitions of hidden Markov models in log space: between any states, or from left to right.

Both know how sums over paths go one step on and one step back; who sums need not know which it is.
A model from left to right (Bakis; Rabiner 1989, "A Tutorial on Hidden Markov Models and Selected
Applications in Speech Recognition", section IV) moves few states at a time, so a step costs states
times moves, where between any states it costs states squared.

B is the number of sequences, S that of states. Scores are for all sequences or for each its own.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]

_WIDE = 300.0  # e^(2 * 300) is a float, and so is its inverse


def log_sum(scores: Scores, axis: int) -> Scores:
    """log(sum(exp(scores))) along `axis`; -inf where all are -inf."""
    most = scores.max(axis=axis, keepdims=True)
    most[most == -np.inf] = 0.0
    with np.errstate(divide="ignore"):
        return np.log(np.exp(scores - most).sum(axis=axis)) + most.squeeze(axis)


class Transitions(Protocol):
    """log P(to | from) of a model, `scores` in axes of its own."""

    @property
    def scores(self) -> Scores: ...

    def forward(self, before: Scores) -> Scores:
        """log sum over `from` of before[from] P(to | from), [B, S] -> [B, S]."""

    def backward(self, behind: Scores) -> Scores:
        """log sum over `to` of P(to | from) behind[to], [B, S] -> [B, S]."""

    def pairs(self, before: Scores, behind: Scores) -> Scores:
        """log before[from] P(to | from) behind[to], [B, own axes]."""


@dataclass(frozen=True)
class AnyToAny:
    """`scores` [S, S] or [B, S, S]: log P(to | from), from which in the rows."""

    scores: Scores

    def forward(self, before: Scores) -> Scores:
        return self._summed(before, self.scores, self._probabilities)

    def backward(self, behind: Scores) -> Scores:
        return self._summed(behind, self.scores.swapaxes(-1, -2),
                            self._probabilities.swapaxes(-1, -2))

    def pairs(self, before: Scores, behind: Scores) -> Scores:
        return before[:, :, None] + self.scores + behind[:, None, :]

    @cached_property
    def _probabilities(self) -> Scores:
        return np.exp(self.scores)

    @cached_property
    def _narrow(self) -> bool:
        return bool((np.abs(self.scores[self.scores > -np.inf]) < _WIDE).all())

    def _summed(self, weights: Scores, scores: Scores, probabilities: Scores) -> Scores:
        """log(exp(weights) @ probabilities), [B, S].

        A product of matrices, many times as fast as logarithms, where none of its terms can fall
        below the smallest float; the other rows are summed as logarithms.
        """
        most = weights.max(axis=1, keepdims=True)
        most[most == -np.inf] = 0.0
        shifted = weights - most
        with np.errstate(divide="ignore"):
            found = np.log((np.exp(shifted)[:, None] @ probabilities)[:, 0]) + most
        wide = ((shifted < -_WIDE) & (shifted > -np.inf)).any(axis=1) | (not self._narrow)
        if wide.any():
            own = scores[wide] if scores.ndim == 3 else scores
            found[wide] = log_sum(weights[wide][:, :, None] + own, axis=1)
        return found


@dataclass(frozen=True)
class LeftToRight:
    """`scores` [S, moves] or [B, S, moves]: log P(from + move | from).

    Move 0 stays, move 1 goes to the next state, move 2 leaves one out, and so on. Moves behind the
    last state lead nowhere.
    """

    scores: Scores

    def arrivals(self, before: Scores) -> Scores:
        """log before[to - move] P(to | to - move), [moves, B, S]; -inf from nowhere."""
        states = before.shape[1]
        found = np.full((len(self._by_move), *before.shape), -np.inf)
        for move, scores in enumerate(self._by_move[:states]):
            leaving = slice(states - move)
            found[move, :, move:] = before[:, leaving] + scores[..., leaving]
        return found

    def forward(self, before: Scores) -> Scores:
        return log_sum(self.arrivals(before), axis=0)

    def backward(self, behind: Scores) -> Scores:
        return log_sum(self._departures(behind), axis=0)

    def pairs(self, before: Scores, behind: Scores) -> Scores:
        return np.moveaxis(before + self._departures(behind), 0, -1)

    def _departures(self, behind: Scores) -> Scores:
        """log P(from + move | from) behind[from + move], [moves, B, S]; -inf to nowhere."""
        states = behind.shape[1]
        found = np.full((len(self._by_move), *behind.shape), -np.inf)
        for move, scores in enumerate(self._by_move[:states]):
            leaving = slice(states - move)
            found[move, :, leaving] = scores[..., leaving] + behind[:, move:]
        return found

    @cached_property
    def _by_move(self) -> Scores:
        """`scores` with moves first, which makes every sum over moves one of whole rows."""
        return np.ascontiguousarray(np.moveaxis(self.scores, -1, 0))
