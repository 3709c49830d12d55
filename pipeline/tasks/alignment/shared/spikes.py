"""When a network says its symbols that was trained by connectionist temporal classification.

Such a network says the blank nearly everywhere and each symbol in a spike of a frame or two (Graves
et al. 2006, figure 1). Nothing in its training says where a spike belongs, so where one phone ends
and the next begins between two spikes is a rule: halfway (`midpoint`), or where the next spike
begins (`spike`).

The blank is the lecture's separating symbol: merging leaves equal neighbours apart where one stands
between them.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from pipeline.nn.ctc import BLANK, Ids, Scores

Boundary = Literal["midpoint", "spike"]


class Spikes(NamedTuple):
    """Symbols in order, each with the first and the last frame of its spike."""

    symbols: Ids
    firsts: Ids
    lasts: Ids

    @classmethod
    def of(cls, frames: Ids) -> "Spikes":
        """Those of an alignment, the symbol or the blank of each frame [T]."""
        firsts = np.flatnonzero(np.diff(frames, prepend=-1))
        lasts = np.append(firsts[1:], len(frames)) - 1
        said = frames[firsts] != BLANK
        return cls(frames[firsts[said]], firsts[said], lasts[said])

    def starts(self, boundary: Boundary) -> Ids:
        """The first frame of each symbol, so that symbols fill the utterance; the first's is 0."""
        if boundary == "spike":
            later = self.firsts[1:]
        else:
            # Of an odd number of frames between two spikes the middle one is the first symbol's.
            later = (self.lasts[:-1] + self.firsts[1:]) // 2 + 1
        return np.concatenate([[0], later])[: len(self.symbols)]


def blocked_path(emissions: Scores, symbols: Sequence[int]) -> Ids:
    """The most probable at each frame [T, 1 + S] of the blank and `symbols`."""
    open_ = np.unique([BLANK, *symbols])
    return open_[emissions[:, open_].argmax(axis=1)]


def best_alignment(emissions: Scores, symbols: Sequence[int]) -> Ids | None:
    """The most probable of the alignments that are said as `symbols`: the symbol of each frame.

    `emissions` [T, 1 + S] are log-probabilities. A blank may stand anywhere, and stands between
    equal neighbours. None where there are too few frames. Of equally good alignments the one that
    stays longest in what comes later is taken.
    """
    states = np.full(2 * len(symbols) + 1, BLANK)
    states[1::2] = symbols
    # Over a blank between two different symbols.
    skips = np.zeros(len(states), bool)
    skips[3::2] = states[3::2] != states[1:-2:2]
    best = np.where(np.arange(len(states)) < 2, emissions[0, states], -np.inf)
    moves = np.zeros((len(emissions), len(states)), np.int64)
    nothing = np.full(2, -np.inf)
    for step in range(1, len(emissions)):
        before = np.concatenate([nothing, best])
        ways = np.stack([best, before[1:-1], np.where(skips, before[:-2], -np.inf)])
        moves[step] = ways.argmax(axis=0)
        best = ways.max(axis=0) + emissions[step, states]
    state = len(states) - 1
    if len(symbols) and best[-2] > best[-1]:
        state -= 1
    if not best[state] > -np.inf:
        return None
    path = np.empty(len(emissions), np.int64)
    for step in range(len(emissions) - 1, -1, -1):
        path[step] = state
        state -= moves[step, state]
    return states[path]
