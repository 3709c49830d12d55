"""CTC decoding against every alignment and every string, written out."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.nn.ctc import best_path, collapse, prefix_beam_search


class Silent:
    """A model with no opinion."""

    def start(self) -> None:
        return None

    def extend(self, state: None, symbol: int) -> tuple[float, None]:
        return 0.0, None

    def finish(self, state: None) -> float:
        return 0.0


class Bigram:
    """Random scores of each symbol after each, and of ending after each; 0 begins the string."""

    def __init__(self, symbols: int, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.scores = random.normal(0, 2, (symbols, symbols))
        self.ends = random.normal(0, 2, symbols)

    def start(self) -> int:
        return 0

    def extend(self, state: int, symbol: int) -> tuple[float, int]:
        return float(self.scores[state, symbol]), symbol

    def finish(self, state: int) -> float:
        return float(self.ends[state])

    def whole(self, string: tuple[int, ...]) -> float:
        path = (0, *string)
        return sum(self.scores[a, b] for a, b in zip(path, path[1:], strict=False)) + self.ends[
            path[-1]]


def emissions_of(frames: int, symbols: int, seed: int) -> NDArray[np.float64]:
    logits = np.random.default_rng(seed).normal(0, 1.5, (frames, symbols))
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def merged(alignment: tuple[int, ...]) -> tuple[int, ...]:
    """The string of an alignment, by the definition."""
    string = []
    for before, symbol in zip((None, *alignment), alignment, strict=False):
        if symbol != before and symbol != 0:
            string.append(symbol)
    return tuple(string)


def string_probabilities(emissions: NDArray[np.float64]) -> dict[tuple[int, ...], float]:
    """Probability of every string: the sum over all its alignments."""
    frames, symbols = emissions.shape
    found: dict[tuple[int, ...], float] = {}
    for alignment in product(range(symbols), repeat=frames):
        probability = math.exp(sum(emissions[t, s] for t, s in enumerate(alignment)))
        string = merged(alignment)
        found[string] = found.get(string, 0.0) + probability
    return found


@pytest.mark.parametrize("alignment", [(), (0,), (1, 1, 0, 1, 2, 2, 0), (0, 3, 3, 0, 0, 3), (2, 1)])
def test_collapse_merges_repeats_then_drops_blanks(alignment: tuple[int, ...]) -> None:
    assert collapse(alignment) == list(merged(alignment))


def test_best_path_takes_the_best_symbol_of_each_frame() -> None:
    alignment = [1, 1, 0, 1, 2, 0, 0, 2]
    assert best_path(np.log(np.full((8, 3), 0.1) + 0.7 * np.eye(3)[alignment])) == [1, 1, 2, 2]


def test_best_path_and_best_string_differ() -> None:
    # Two frames, p(blank) = 0.6 and p(a) = 0.4 in both: "" has 0.36, "a" has 0.64.
    emissions = np.log([[0.6, 0.4], [0.6, 0.4]])
    assert best_path(emissions) == []
    assert prefix_beam_search(emissions, Silent(), beam=8, least_posterior=0.0) == [1]


def test_string_probabilities_are_torchs_ctc_loss() -> None:
    # The oracle of this file against an implementation that is not ours.
    emissions = emissions_of(5, 3, seed=0)
    for string, probability in string_probabilities(emissions).items():
        loss = torch.nn.functional.ctc_loss(
            torch.from_numpy(emissions)[:, None], torch.tensor([string], dtype=torch.long),
            torch.tensor([5]), torch.tensor([len(string)]), reduction="sum")
        assert math.exp(-float(loss)) == pytest.approx(probability, rel=1e-9)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(frames=st.integers(1, 5), symbols=st.integers(2, 4), seed=st.integers(0, 10_000))
def test_a_full_beam_finds_the_most_probable_string(frames: int, symbols: int, seed: int) -> None:
    emissions = emissions_of(frames, symbols, seed)
    probabilities = string_probabilities(emissions)
    found = prefix_beam_search(emissions, Silent(), beam=10_000, least_posterior=0.0)
    assert probabilities[tuple(found)] == pytest.approx(max(probabilities.values()), rel=1e-9)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(frames=st.integers(1, 5), symbols=st.integers(2, 4), seed=st.integers(0, 10_000))
def test_a_full_beam_is_exhaustive_with_a_language_model(frames: int, symbols: int,
                                                         seed: int) -> None:
    emissions = emissions_of(frames, symbols, seed)
    model = Bigram(symbols, seed)
    scores = {string: math.log(probability) + model.whole(string)
              for string, probability in string_probabilities(emissions).items()}
    found = prefix_beam_search(emissions, model, beam=10_000, least_posterior=0.0)
    assert scores[tuple(found)] == pytest.approx(max(scores.values()), abs=1e-9)


def test_the_beam_keeps_the_best_prefixes_only() -> None:
    # After one frame "" has 0.6 and "a" 0.4; a beam of one forgets the latter.
    emissions = np.log([[0.6, 0.4], [0.6, 0.4]])
    assert prefix_beam_search(emissions, Silent(), beam=1, least_posterior=0.0) == []
    assert prefix_beam_search(emissions, Silent(), beam=2, least_posterior=0.0) == [1]


class Rewarding(Silent):
    """Every symbol is worth more than any frame can cost."""

    def extend(self, state: None, symbol: int) -> tuple[float, None]:
        return 20.0, None


@pytest.mark.parametrize(("least", "string"), [(0.0, [1, 2]), (0.05, [1]), (0.1, [])])
def test_an_improbable_symbol_begins_in_no_frame(least: float, string: list[int]) -> None:
    emissions = np.log([[0.90, 0.08, 0.02], [0.93, 0.03, 0.04]])
    assert prefix_beam_search(emissions, Rewarding(), beam=9, least_posterior=least) == string
