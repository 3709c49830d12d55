"""Where the pseudocode of the slides errs: it is written out here as it stands, and ours beside it.

CMU 11-785, "Connectionist Temporal Classification", first part. Indices begin with 1 there; here
place 0 of each list is what the slides never fill.
"""

import math
from itertools import combinations

import numpy as np
import pytest

from pipeline.nn.order_synchronous import (
    best_alignments,
    compress,
    expand,
    log_likelihoods,
    separated,
    time_synchronous,
)

B, IY, F = range(3)
WORD = [B, IY, F, IY]
UNSET = None
# Nine frames of /B/ /IY/ /F/ /IY/.
FRAMES = np.array([[.8, .1, .1], [.7, .2, .1], [.2, .6, .2], [.1, .8, .1], [.1, .7, .2],
                   [.1, .3, .6], [.2, .1, .7], [.1, .6, .3], [.1, .8, .1]])


def greedy_of_the_slides(y: np.ndarray, best_of_0: int | None = UNSET) -> list[tuple[int, int]]:
    """best(t) = argmax y(t); where it is not best(t - 1), best(t - 1) is emitted at t - 1."""
    out = []
    best: list[int | None] = [best_of_0]
    for t in range(1, len(y) + 1):
        best.append(int(y[t - 1].argmax()))
        if best[t] != best[t - 1]:
            before = best[t - 1]
            if before is UNSET:
                raise IndexError("best(0) is read and was never set")
            out.append((before, t - 1))
    return out


def viterbi_of_the_slides(y: np.ndarray, symbols: list[int], first_row: int = 2) -> list[int]:
    """The table s(t, i), then Bscr and BP by products; the rows of the path, from 1.

    The first slide has `first_row` 1. Reading what was never set raises IndexError.
    """
    rows, frames = len(symbols), len(y)
    score: dict[tuple[int, int], float] = {(1, 1): float(y[0, symbols[0]])}
    score |= {(1, i): -math.inf for i in range(2, rows + 1)}
    back: dict[tuple[int, int], int] = {}

    def read(t: int, i: int) -> float:
        if i < 1:
            raise IndexError(f"Bscr({t}, {i}) is read and was never set")
        return score.get((t, i), -math.inf)

    for t in range(2, frames + 1):
        back[t, 1] = 1
        score[t, 1] = read(t - 1, 1) * y[t - 1, symbols[0]]
        for i in range(first_row, min(t, rows) + 1):
            back[t, i] = i if read(t - 1, i) > read(t - 1, i - 1) else i - 1
            score[t, i] = read(t - 1, back[t, i]) * y[t - 1, symbols[i - 1]]
    path = [rows]
    for t in range(frames, 1, -1):
        path.append(back[t, path[-1]])
    return path[::-1]


def viterbi_counting_from_0(y: np.ndarray, symbols: list[int]) -> list[int]:
    """The first slide's loop over all rows in a language where place -1 is the last."""
    s = np.log(y[:, symbols])
    score, back = np.full(s.shape, -np.inf), np.zeros(s.shape, int)
    score[0, 0] = s[0, 0]
    for t in range(1, len(y)):
        for i in range(min(t + 1, len(symbols))):
            back[t, i] = i if score[t - 1, i] > score[t - 1, i - 1] else i - 1
            score[t, i] = score[t - 1, back[t, i]] + s[t, i]
    path = [len(symbols) - 1]
    for t in range(len(y) - 1, 0, -1):
        path.append(int(back[t, path[-1]]) % len(symbols))
    return path[::-1]


def ours(y: np.ndarray, symbols: list[int]) -> list[int]:
    (path,), _ = best_alignments(np.log(y)[None], [len(y)], [symbols])
    return path.tolist()


def best_of_all(s: np.ndarray) -> list[int]:
    """By the sum of logarithms of every path through s [T, N]."""
    paths = [np.searchsorted(ends, np.arange(len(s)), side="right")
             for ends in combinations(range(1, len(s)), s.shape[1] - 1)]
    return max(paths, key=lambda rows: s[np.arange(len(s)), rows].sum()).tolist()


def test_the_slides_greedy_search_reads_what_no_frame_set() -> None:
    with pytest.raises(IndexError, match=r"best\(0\)"):
        greedy_of_the_slides(FRAMES)
    # A language that sets it to 0 emits a symbol at frame 0, before the first, or, when that symbol
    # is indeed the first, by chance none.
    assert greedy_of_the_slides(FRAMES[2:], best_of_0=0)[0] == (B, 0)


def test_the_slides_greedy_search_loses_the_last_run() -> None:
    assert greedy_of_the_slides(FRAMES, best_of_0=B) == [(B, 2), (IY, 5), (F, 7)]
    assert [(symbol, last + 1) for symbol, last in time_synchronous(np.log(FRAMES))] == [
        (B, 2), (IY, 5), (F, 7), (IY, 9)]


def test_the_slides_first_viterbi_reads_above_the_table() -> None:
    with pytest.raises(IndexError, match=r"Bscr\(1, 0\)"):
        viterbi_of_the_slides(FRAMES, WORD, first_row=1)
    expected = [0, 0, 1, 1, 1, 2, 2, 3, 3]
    assert [row - 1 for row in viterbi_of_the_slides(FRAMES, WORD)] == expected  # the second slide
    assert ours(FRAMES, WORD) == expected == best_of_all(np.log(FRAMES[:, WORD]))


def test_where_the_place_before_the_first_is_the_last_the_path_goes_round() -> None:
    again = np.concatenate([FRAMES, 0.9 * FRAMES + 0.1 / 3])  # the second time less clearly
    wrong = viterbi_counting_from_0(again, WORD)
    assert wrong == [0, 0, 1, 1, 1, 2, 2, 3, 3] * 2
    found = ours(again, WORD)
    assert found == best_of_all(np.log(again[:, WORD]))
    assert (found[0], found[-1]) == (0, 3) and set(np.diff(found)) == {0, 1}


def test_products_of_a_long_utterance_are_0_and_then_the_path_is_no_longer_the_best() -> None:
    # Each symbol is a little more probable than the others for 300 frames.
    truth = np.repeat(np.arange(4), 300)
    y = np.full((1200, 3), 0.3)
    y[np.arange(1200), np.array(WORD)[truth]] = 0.4
    assert ours(y, WORD) == truth.tolist()
    wrong = [row - 1 for row in viterbi_of_the_slides(y, WORD)]
    in_logs, of_slides = (np.log(y)[np.arange(1200), np.array(WORD)[rows]].sum()
                          for rows in (truth, wrong))
    assert np.prod(y.max(axis=1)) == 0 and in_logs > of_slides + 10
    likelihood, = log_likelihoods(np.log(y)[None], [1200], [WORD])
    assert np.isfinite(likelihood) and likelihood > in_logs


def test_compression_merges_a_symbol_that_comes_twice_in_a_row() -> None:
    doubled = [B, IY, IY, F]
    as_on_the_slides = np.repeat(doubled, 2)
    assert [run.symbol for run in compress(as_on_the_slides)] == [B, IY, F]
    with pytest.raises(ValueError, match="symbols 1 and 2 are both 1, which compression merges"):
        expand(doubled, [2] * 4)
    with pytest.raises(ValueError, match="symbols 1 and 2 are both 1, which compression merges"):
        best_alignments(np.log(FRAMES)[None], [9], [doubled])
    blank = 3
    with_blank = separated(doubled, blank).symbols
    assert [run.symbol for run in compress(expand(with_blank, [2] * 5), blank)] == doubled
