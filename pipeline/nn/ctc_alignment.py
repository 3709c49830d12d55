"""One alignment of CTC among all: the most probable one of a string, and all of a short sound.

CTC is trained with the sum over every alignment of a transcript (Graves et al. 2006). How much of
that sum its best alignment has says whether a network has decided when each symbol is said; and
what the best of all alignments writes is not always the most probable string.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from pipeline.nn.ctc import BLANK, Ids, collapse


@dataclass(frozen=True)
class Alignment:
    """A symbol or the blank for each frame, `path` [frames], with its natural log-probability.

    `places` are the first frame of each symbol of the string and the one behind its last.
    """

    log_probability: float
    path: Ids
    places: list[tuple[int, int]]


def best_alignment(emissions: NDArray[np.floating], symbols: list[int]) -> Alignment:
    """The most probable alignment of the string `symbols`, by Viterbi's recursion.

    `emissions` are log-probabilities [frames, symbols], blank at 0. Of equally probable alignments
    the one is taken that stays longest where it is. Raises ValueError for a string that no
    alignment of so many frames has.
    """
    states = np.full(2 * len(symbols) + 1, BLANK)
    states[1::2] = symbols
    skips = np.zeros(len(states), bool)  # a blank may be left out between two different symbols
    skips[2:] = (states[2:] != BLANK) & (states[2:] != states[:-2])
    logs = np.full(len(states), -np.inf)
    logs[0] = 0.0  # before the first frame, as if a blank stood there
    steps = np.zeros((len(emissions), len(states)), np.int64)
    for frame, row in enumerate(np.asarray(emissions, np.float64)):
        ways = np.full((3, len(states)), -np.inf)  # by how many states the alignment goes on
        ways[0], ways[1, 1:], ways[2, 2:] = logs, logs[:-1], logs[:-2]
        ways[2, ~skips] = -np.inf
        steps[frame] = ways.argmax(axis=0)
        logs = ways.max(axis=0) + row[states]
    last = len(states) - 1
    state = last if last == 0 or logs[last] >= logs[last - 1] else last - 1
    if logs[state] == -np.inf:
        raise ValueError(f"{len(emissions)} frames have no alignment of {len(symbols)} symbols")
    visited = np.zeros(len(emissions), np.int64)
    for frame in range(len(emissions) - 1, -1, -1):
        visited[frame] = state
        state -= steps[frame, state]
    firsts, ends = (np.searchsorted(visited, 2 * np.arange(len(symbols)) + 1, side)
                    for side in ("left", "right"))
    return Alignment(float(logs[visited[-1]] if len(visited) else logs[0]), states[visited],
                     list(zip(firsts.tolist(), ends.tolist(), strict=True)))


def strings_and_paths(
        probabilities: NDArray[np.floating],
) -> dict[tuple[int, ...], dict[tuple[int, ...], float]]:
    """Every string that `probabilities` [frames, symbols] can be, with all its paths and theirs.

    The most probable string comes first, and of each string the most probable path. There are
    symbols^frames paths: for a sound of a few frames.
    """
    frames, kinds = probabilities.shape
    found: dict[tuple[int, ...], dict[tuple[int, ...], float]] = {}
    for path in product(range(kinds), repeat=frames):
        probability = float(np.prod(probabilities[np.arange(frames), path]))
        found.setdefault(tuple(collapse(path)), {})[path] = probability
    return {string: dict(sorted(paths.items(), key=lambda one: -one[1]))
            for string, paths in sorted(found.items(), key=lambda one: -sum(one[1].values()))}
