"""Alignment: which frame belongs to which state of a chain, on the best path (Viterbi).

A chain is the states of a transcript one after the other, its first state at the first frame and
its last at the last: forced alignment (Rabiner 1989, "A Tutorial on Hidden Markov Models and
Selected Applications in Speech Recognition", section III.B), many utterances at once.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.hmm.transitions import LeftToRight, Scores

NOWHERE = -1


def align(scores: Scores, transitions: LeftToRight, frames: NDArray[np.int64],
          states: NDArray[np.int64]) -> tuple[NDArray[np.int64], Scores]:
    """The best path of each of B utterances, [B, T], and its score [B], a log-probability.

    `scores` [B, T, S] is log P(frame | state of the chain). Utterance b has `frames[b]` frames and
    `states[b]` states, at least one of each, and whatever stands behind them counts for nothing.
    Behind its frames a path is NOWHERE; where a chain has no path (more states than its frames can
    pass through), all of it is, and the score is -inf. Of equally good paths the one that stays
    longest in later states is taken.
    """
    batch, longest, width = scores.shape
    rows = np.arange(batch)
    best = np.where(np.arange(width) == 0, scores[:, 0], -np.inf)
    moves = np.zeros((batch, longest, width), np.int8)
    found = np.where(frames == 1, best[rows, states - 1], -np.inf)
    for step in range(1, longest):
        arrivals = transitions.arrivals(best)
        moves[:, step] = arrivals.argmax(axis=0)
        best = arrivals.max(axis=0) + scores[:, step]
        ends = frames == step + 1
        found[ends] = best[ends, states[ends] - 1]
    return _trace_back(moves, frames, states, found), found


def _trace_back(moves: NDArray[np.int8], frames: NDArray[np.int64], states: NDArray[np.int64],
                scores: Scores) -> NDArray[np.int64]:
    """Follow the paths from each utterance's last frame and state, [B, T]."""
    batch, longest, _ = moves.shape
    rows = np.arange(batch)
    paths = np.full((batch, longest), NOWHERE, np.int64)
    possible = scores > -np.inf
    state = states - 1
    for step in range(longest - 1, -1, -1):
        inside = possible & (step < frames)
        paths[inside, step] = state[inside]
        state = np.where(inside, state - moves[rows, step, state], state)
    return paths
