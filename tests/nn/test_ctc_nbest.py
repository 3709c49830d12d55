"""Several strings against every string, and one string's probability against every alignment."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.nn.ctc_nbest import prefix_n_best, string_log_probability
from tests.nn.test_ctc import Bigram, Silent, emissions_of, string_probabilities


@settings(max_examples=30, deadline=None, derandomize=True)
@given(frames=st.integers(1, 5), symbols=st.integers(2, 4), seed=st.integers(0, 10_000))
def test_a_string_has_the_sum_of_its_alignments(frames: int, symbols: int, seed: int) -> None:
    emissions = emissions_of(frames, symbols, seed)
    for string, probability in string_probabilities(emissions).items():
        assert string_log_probability(emissions, list(string)) == pytest.approx(
            math.log(probability), abs=1e-9)


def test_long_strings_are_torchs_ctc_loss() -> None:
    emissions = emissions_of(60, 7, seed=1)
    string = [3, 3, 1, 6, 6, 6, 2, 5, 1, 1, 4]
    loss = torch.nn.functional.ctc_loss(
        torch.from_numpy(emissions)[:, None], torch.tensor([string]), torch.tensor([60]),
        torch.tensor([len(string)]), reduction="sum")
    assert string_log_probability(emissions, string) == pytest.approx(-float(loss), rel=1e-9)


def test_strings_without_room_are_impossible() -> None:
    emissions = emissions_of(2, 3, seed=0)
    assert string_log_probability(emissions, [1, 1]) == -math.inf
    assert string_log_probability(emissions[:0], [1]) == -math.inf
    assert string_log_probability(emissions[:0], []) == 0.0


@settings(max_examples=30, deadline=None, derandomize=True)
@given(frames=st.integers(1, 4), symbols=st.integers(2, 4), seed=st.integers(0, 10_000),
       count=st.integers(1, 6))
def test_a_full_beam_lists_the_best_strings(frames: int, symbols: int, seed: int,
                                            count: int) -> None:
    emissions, model = emissions_of(frames, symbols, seed), Bigram(symbols, seed)
    scores = {string: math.log(probability) + model.whole(string)
              for string, probability in string_probabilities(emissions).items()}
    wanted = sorted(scores.values(), reverse=True)[:count]
    found = prefix_n_best(emissions, model, beam=10_000, least_posterior=0.0, count=count)
    np.testing.assert_allclose([score for _, score in found], wanted, atol=1e-9)
    assert [scores[tuple(string)] for string, _ in found] == pytest.approx(wanted)


class EvenOnes(Silent):
    """Nothing but 1 may be written, and an even number of them."""

    def start(self) -> int:
        return 0

    def extend(self, state: int, symbol: int) -> tuple[float, int]:
        return (0.0 if symbol == 1 else -math.inf), state + 1

    def finish(self, state: int) -> float:
        return -math.inf if state % 2 else 0.0


def test_what_is_forbidden_is_in_no_string() -> None:
    emissions = emissions_of(5, 4, seed=2)
    found = prefix_n_best(emissions, EvenOnes(), beam=10_000, least_posterior=0.0, count=100)
    assert sorted(string for string, _ in found) == [[], [1, 1]]
    probabilities = string_probabilities(emissions)
    for string, score in found:
        assert score == pytest.approx(math.log(probabilities[tuple(string)]))


def test_where_nothing_may_end_there_is_no_string() -> None:
    emissions = np.log([[0.1, 0.9]])
    assert prefix_n_best(emissions, EvenOnes(), beam=1, least_posterior=0.0, count=3) == []
