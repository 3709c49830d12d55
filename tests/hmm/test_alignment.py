"""Alignment against every path of the chain, written out."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.hmm.alignment import NOWHERE, align
from pipeline.hmm.transitions import LeftToRight


@settings(max_examples=60)
@given(sizes=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 4)), min_size=1, max_size=4),
       moves=st.integers(1, 3), seed=st.integers(0, 10_000), own=st.booleans())
def test_the_best_of_all_paths_is_found(sizes: list[tuple[int, int]], moves: int, seed: int,
                                        own: bool) -> None:
    random = np.random.default_rng(seed)
    frames, states = np.array(sizes).T
    scores = random.normal(0, 3, (len(sizes), frames.max(), states.max()))
    table = random.normal(0, 3, (len(sizes), states.max(), moves))
    if not own:
        table[:] = table[0]
    paths, found = align(scores, LeftToRight(table if own else table[0]), frames, states)
    for row, (length, count) in enumerate(sizes):
        every = {path: along(path, scores[row], table[row])
                 for path in product(range(count), repeat=length)
                 if path[0] == 0 and path[-1] == count - 1
                 and all(0 <= b - a < moves for a, b in pairwise(path))}
        answer = tuple(paths[row, :length].tolist())
        assert (paths[row, length:] == NOWHERE).all()
        if every:
            assert every[answer] == max(every.values()) == pytest.approx(found[row], rel=1e-12)
        else:
            assert found[row] == -np.inf and set(answer) == {NOWHERE}


def along(path: tuple[int, ...], scores: np.ndarray, table: np.ndarray) -> float:
    return (sum(scores[step, state] for step, state in enumerate(path))
            + sum(table[a, b - a] for a, b in pairwise(path)))


def test_frames_go_where_they_sound_alike() -> None:
    # Three sounds of 4, 2 and 3 frames, and a chain that says them in order.
    sounds = np.repeat([0.0, 5.0, 1.0], [4, 2, 3])
    scores = -((sounds[:, None] - np.array([0.0, 5.0, 1.0])) ** 2)
    paths, _ = align(scores[None], LeftToRight(np.log([[0.5, 0.5]] * 3)), np.array([9]),
                     np.array([3]))
    assert paths[0].tolist() == [0, 0, 0, 0, 1, 1, 2, 2, 2]


def test_of_equal_paths_the_one_that_stays_in_later_states_is_taken() -> None:
    paths, _ = align(np.zeros((1, 5, 3)), LeftToRight(np.zeros((3, 2))), np.array([5]),
                     np.array([3]))
    assert paths[0].tolist() == [0, 1, 2, 2, 2]
