"""Forward-backward against the definition: every path, written out."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.hmm.forward_backward import Expectations, forward_backward
from pipeline.hmm.transitions import AnyToAny, LeftToRight

Table = NDArray[np.float64]


def by_every_path(initial: Table, table: Table, emissions: Table,
                  final: Table) -> tuple[float, Table, Table]:
    """Likelihood, posteriors [T, S] and transitions [S, S] of one sequence, from probabilities."""
    length, states = emissions.shape
    total, posteriors, transitions = 0.0, np.zeros((length, states)), np.zeros((states, states))
    for path in product(range(states), repeat=length):
        weight = initial[path[0]] * final[path[-1]]
        weight *= np.prod([emissions[step, state] for step, state in enumerate(path)])
        weight *= np.prod([table[pair] for pair in pairwise(path)])
        total += weight
        for step, state in enumerate(path):
            posteriors[step, state] += weight
        for pair in pairwise(path):
            transitions[pair] += weight
    return total, posteriors / (total or 1), transitions / (total or 1)


def log(probabilities: Table) -> Table:
    with np.errstate(divide="ignore"):
        return np.log(probabilities)


def dense(moves: Table) -> Table:
    """P(to | from) [S, S] of a model from left to right [S, moves]."""
    states = len(moves)
    return np.array([[moves[a, b - a] if 0 <= b - a < moves.shape[1] else 0.0
                      for b in range(states)] for a in range(states)])


@settings(max_examples=40)
@given(states=st.integers(1, 3), seed=st.integers(0, 10_000), own=st.booleans(),
       lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_sums_are_those_over_all_paths(states: int, seed: int, own: bool,
                                       lengths: list[int]) -> None:
    random = np.random.default_rng(seed)
    batch, longest = len(lengths), max(lengths)
    initial, final = random.random((batch, states)), random.random((batch, states))
    table = random.random((batch, states, states)) * (random.random((batch, states, states)) < 0.7)
    if not own:  # one model for all
        initial[:], final[:], table[:] = initial[0], final[0], table[0]
    emissions = random.random((batch, longest, states))
    shared = slice(None) if own else 0
    found = forward_backward(log(initial)[shared], AnyToAny(log(table)[shared]), log(emissions),
                             np.array(lengths), log(final)[shared])
    for row, length in enumerate(lengths):
        check(found, row, by_every_path(initial[row], table[row], emissions[row, :length],
                                        final[row]))
        assert not found.posteriors[row, length:].any()


def check(found: Expectations, row: int, expected: tuple[float, Table, Table]) -> None:
    likelihood, posteriors, transitions = expected
    assert np.exp(found.log_likelihoods[row]) == pytest.approx(likelihood, rel=1e-9)
    np.testing.assert_allclose(found.posteriors[row, : len(posteriors)], posteriors, atol=1e-12)
    np.testing.assert_allclose(found.transitions[row], transitions, atol=1e-12)


@settings(max_examples=40)
@given(states=st.integers(1, 4), moves=st.integers(1, 3), seed=st.integers(0, 10_000),
       own=st.booleans())
def test_left_to_right_is_the_same_model_without_its_zeros(states: int, moves: int, seed: int,
                                                           own: bool) -> None:
    random = np.random.default_rng(seed)
    lengths = np.array([6, 4, 1])
    table = random.random((3, states, moves))
    if not own:
        table[:] = table[0]
    initial = np.eye(states)[0]
    emissions = log(random.random((3, 6, states)))
    narrow = forward_backward(log(initial), LeftToRight(log(table if own else table[0])),
                              emissions, lengths)
    wide = forward_backward(log(initial), AnyToAny(log(np.array([dense(t) for t in table]))),
                            emissions, lengths)
    np.testing.assert_allclose(narrow.log_likelihoods, wide.log_likelihoods)
    np.testing.assert_allclose(narrow.posteriors, wide.posteriors, atol=1e-12)
    for move in range(min(moves, states)):
        for state in range(states - move):
            np.testing.assert_allclose(narrow.transitions[:, state, move],
                                       wide.transitions[:, state, state + move], atol=1e-12)


def test_a_fair_and_a_loaded_coin() -> None:
    # Heads twice. Fair (1/2) or loaded (9/10) at first with 1/2 each, kept with 3/4: the four
    # paths have 1/2 * (3/4 * .25, 1/4 * .45, 1/4 * .45, 3/4 * .81), in all 0.51.
    found = forward_backward(np.log([0.5, 0.5]), AnyToAny(np.log([[0.75, 0.25], [0.25, 0.75]])),
                             np.log([[[0.5, 0.9], [0.5, 0.9]]]), np.array([2]))
    assert np.exp(found.log_likelihoods[0]) == pytest.approx(0.51)
    assert found.transitions[0, 1, 1] == pytest.approx(0.30375 / 0.51)
    assert found.posteriors[0, 0, 1] == pytest.approx((0.05625 + 0.30375) / 0.51)


def test_what_is_impossible_or_empty_expects_nothing() -> None:
    stay = LeftToRight(np.log([[1.0], [1.0]]))
    found = forward_backward(log(np.array([1.0, 0.0])), stay, np.zeros((3, 3, 2)),
                             np.array([3, 3, 0]), log(np.array([[0.0, 1.0], [1.0, 0.0], [1, 0]])))
    assert found.log_likelihoods.tolist() == [-np.inf, 0.0, 0.0]
    assert not found.posteriors[[0, 2]].any() and not found.transitions[[0, 2]].any()
    assert found.posteriors[1].tolist() == [[1.0, 0.0]] * 3
    assert found.transitions[1].tolist() == [[2.0], [0.0]]


def test_scores_far_below_the_smallest_float_are_summed() -> None:
    found = forward_backward(np.log([0.5, 0.5]), AnyToAny(np.log([[0.5, 0.5], [0.5, 0.5]])),
                             np.tile([-3000.0, -5000.0], (1, 400, 1)), np.array([400]))
    assert found.log_likelihoods[0] == pytest.approx(400 * (-3000 + np.log(0.5)))
    np.testing.assert_allclose(found.posteriors[0, :, 0], 1.0)


@pytest.mark.parametrize("own", [False, True])
def test_the_only_path_counts_however_improbable_its_beginning(own: bool) -> None:
    # State 1 alone may end, and the first sequence begins there with e^-2000 of state 0's weight.
    table = log(np.eye(2))
    emissions = np.zeros((2, 3, 2))
    emissions[0, 0, 1] = -2000
    found = forward_backward(np.zeros(2), AnyToAny(np.stack([table] * 2) if own else table),
                             emissions, np.array([3, 3]), np.array([-np.inf, 0.0]))
    assert found.log_likelihoods.tolist() == [-2000.0, 0.0]
    assert found.posteriors[:, :, 1].tolist() == [[1.0] * 3] * 2


def test_a_transition_less_probable_than_any_float_can_be_the_only_one() -> None:
    table = np.array([[-np.inf, -2000.0], [-np.inf, 0.0]])
    found = forward_backward(log(np.array([1.0, 0.0])), AnyToAny(table), np.zeros((1, 3, 2)),
                             np.array([3]))
    assert found.log_likelihoods.tolist() == [-2000.0]
    assert found.transitions[0].tolist() == [[0.0, 1.0], [0.0, 1.0]]
