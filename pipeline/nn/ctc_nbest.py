"""Prefix beam search for several strings, and the probability of one string, in CTC's sense."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.nn.ctc import BLANK, PrefixModel, _advance, _Beam, _Prefix, _total


def prefix_n_best(emissions: NDArray[np.floating], model: PrefixModel, beam: int,
                  least_posterior: float, count: int) -> list[tuple[list[int], float]]:
    """At most `count` strings with log-probability plus model score, the best first.

    `emissions` are log-probabilities [frames, symbols], blank at 0; `beam` and `least_posterior`
    are those of `prefix_beam_search`. What the model forbids, by a score of minus infinity, is in
    no string; where nothing that was kept may end, the list is empty.
    """
    prefixes: _Beam = {_Prefix(None, BLANK, 0.0, model.start()): (0.0, -math.inf)}
    for frame in np.asarray(emissions, np.float64):
        likely = np.flatnonzero(np.exp(frame) >= least_posterior)
        extended = _advance(prefixes, frame.tolist(), likely[likely != BLANK].tolist(), model)
        allowed = [item for item in extended.items() if item[0].score > -math.inf]
        prefixes = dict(sorted(allowed, key=_total, reverse=True)[:beam])
    ended = [(prefix, _total((prefix, sounds)) + model.finish(prefix.state))
             for prefix, sounds in prefixes.items()]
    best = sorted((one for one in ended if one[1] > -math.inf), key=lambda one: -one[1])
    return [(prefix.string(), score) for prefix, score in best[:count]]


def string_log_probability(emissions: NDArray[np.floating], symbols: Sequence[int]) -> float:
    """Log of the sum over all alignments of `symbols` with `emissions` [frames, symbols].

    Minus infinity where there are too few frames for them.
    """
    labels = np.full(2 * len(symbols) + 1, BLANK)
    labels[1::2] = symbols
    # A symbol may follow the one before it without a blank between them, unless they are equal.
    leaps = np.full(len(labels), -math.inf)
    leaps[3::2][labels[3::2] != labels[1:-2:2]] = 0.0
    before = np.full(len(labels) + 2, -math.inf)
    before[1] = 0.0  # stands before the first blank
    for number, frame in enumerate(np.asarray(emissions, np.float64)):
        reached = np.logaddexp(before[2:], before[1:-1])
        reached = np.logaddexp(reached, before[:-2] + leaps)
        if number == 0:
            reached[1:2] = 0.0  # an alignment begins with the first blank or the first symbol
        before[1] = -math.inf
        before[2:] = reached + frame[labels]
    return float(np.logaddexp.reduce(before[-2:]))
