"""CTC decoding against every alignment and every string, written out."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.nn.ctc import (
    Ids,
    Scores,
    best_path,
    collapse,
    prefix_beam_search,
    prefix_n_best,
    string_log_probability,
)
from tests.nn.plain_search import plain_search


class Silent:
    """A model with no opinion."""

    def start(self) -> int:
        return 0

    def extend(self, states: Ids, symbols: Ids) -> tuple[Scores, Ids]:
        return np.zeros(len(states)), states

    def finish(self, states: Ids) -> Scores:
        return np.zeros(len(states))


class Bigram:
    """Random scores of each symbol after each, and of ending after each; 0 begins the string.

    The share `forbidden` of them is -inf.
    """

    def __init__(self, symbols: int, seed: int, forbidden: float = 0.0) -> None:
        random = np.random.default_rng(seed)
        self.scores = random.normal(0, 2, (symbols, symbols))
        self.ends = random.normal(0, 2, symbols)
        self.scores[random.random(self.scores.shape) < forbidden] = -np.inf
        self.ends[random.random(symbols) < forbidden] = -np.inf

    def start(self) -> int:
        return 0

    def extend(self, states: Ids, symbols: Ids) -> tuple[Scores, Ids]:
        return self.scores[states, symbols], symbols

    def finish(self, states: Ids) -> Scores:
        return self.ends[states]

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

    def extend(self, states: Ids, symbols: Ids) -> tuple[Scores, Ids]:
        return np.full(len(states), 20.0), states


@pytest.mark.parametrize(("least", "string"), [(0.0, [1, 2]), (0.05, [1]), (0.1, [])])
def test_an_improbable_symbol_begins_in_no_frame(least: float, string: list[int]) -> None:
    emissions = np.log([[0.90, 0.08, 0.02], [0.93, 0.03, 0.04]])
    assert prefix_beam_search(emissions, Rewarding(), beam=9, least_posterior=least) == string


def test_the_best_strings_by_hand() -> None:
    # p(blank) = 0.6, p(a) = 0.4, then 0.5 and 0.5: "" has 0.3, "a" 0.2 + 0.3 + 0.2 = 0.7.
    (found,) = prefix_n_best([np.log([[0.6, 0.4], [0.5, 0.5]])], Silent(), 8, 0.0, count=5)
    assert [one.symbols for one in found] == [[1], []]
    assert np.exp([one.score for one in found]) == pytest.approx([0.7, 0.3])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(frames=st.integers(1, 5), symbols=st.integers(2, 4), seed=st.integers(0, 10_000),
       forbidden=st.sampled_from([0.0, 0.4]))
def test_a_full_beam_ranks_all_strings(frames: int, symbols: int, seed: int,
                                       forbidden: float) -> None:
    emissions = emissions_of(frames, symbols, seed)
    model = Bigram(symbols, seed, forbidden)
    scores = {string: math.log(probability) + model.whole(string)
              for string, probability in string_probabilities(emissions).items()}
    ranked = sorted((score for score in scores.values() if score > -math.inf), reverse=True)
    (found,) = prefix_n_best([emissions], model, 10_000, 0.0, count=10_000)
    if not ranked:
        assert [one.score for one in found] == [-math.inf]
        return
    assert len({tuple(one.symbols) for one in found}) == len(found) == len(ranked)
    assert [one.score for one in found] == pytest.approx(ranked, abs=1e-9)
    assert [scores[tuple(one.symbols)] for one in found] == pytest.approx(ranked, abs=1e-9)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(symbols=st.integers(2, 6), beam=st.integers(1, 12), seed=st.integers(0, 10_000),
       least=st.sampled_from([0.0, 0.05, 0.2]), width=st.sampled_from([1.0, 3.0, math.inf]),
       forbidden=st.sampled_from([0.0, 0.3]))
def test_a_narrow_beam_keeps_what_the_plain_search_keeps(
        symbols: int, beam: int, seed: int, least: float, width: float, forbidden: float) -> None:
    # Of several lengths, so that some utterances end while others go on; long enough for prefixes
    # to be dropped and to come back beside those that grew out of them.
    lengths = np.random.default_rng(seed).integers(0, 25, 4)
    utterances = [emissions_of(int(length), symbols, seed + place)
                  for place, length in enumerate(lengths)]
    model = Bigram(symbols, seed, forbidden)
    found = prefix_n_best(utterances, model, beam, least, 5, width)
    for emissions, mine in zip(utterances, found, strict=True):
        expected = plain_search(emissions, model, beam, least, width)[:5]
        if not expected:
            assert [one.score for one in mine] == [-math.inf]
            continue
        assert [tuple(one.symbols) for one in mine] == [string for string, _ in expected]
        assert [one.score for one in mine] == pytest.approx([score for _, score in expected])


@pytest.mark.parametrize("beam", [1, 2, 3, 5, 8, 13])
def test_equal_prefixes_are_kept_in_the_order_of_their_beginnings(beam: int) -> None:
    # Every symbol of every frame is as probable as any other.
    emissions = np.log(np.full((5, 4), 0.25))
    (found,) = prefix_n_best([emissions], Silent(), beam, 0.0, count=beam)
    assert [tuple(one.symbols) for one in found] == [
        string for string, _ in plain_search(emissions, Silent(), beam, 0.0)]


@pytest.mark.parametrize("seed", [59, 66, 124, 161, 181, 763, 768, 883])
def test_equal_prefixes_that_also_grow_out_of_others(seed: int) -> None:
    # Chosen among 4,000 for equal scores of a prefix that grows out of a better one as well.
    random = np.random.default_rng(seed)
    symbols, beam, frames = (int(random.integers(low, high)) for low, high in
                             ((2, 5), (1, 6), (2, 7)))
    emissions = np.log(random.choice([0.125, 0.25, 0.5], (frames, symbols)))
    (found,) = prefix_n_best([emissions], Silent(), beam, 0.0, count=beam)
    assert [tuple(one.symbols) for one in found] == [
        string for string, _ in plain_search(emissions, Silent(), beam, 0.0)]


@pytest.mark.parametrize(("seed", "symbols", "beam"), [(10, 4, 5), (14, 3, 5), (95, 3, 4),
                                                       (132, 4, 2), (263, 4, 3), (427, 4, 4)])
def test_a_prefix_that_comes_back_is_the_one_that_was_dropped(seed: int, symbols: int,
                                                              beam: int) -> None:
    # Chosen among 4,000: what grew out of the prefix before it was dropped does so again.
    emissions, model = emissions_of(10, symbols, seed), Bigram(symbols, seed)
    (found,) = prefix_n_best([emissions], model, beam, 0.0, count=beam)
    assert [(tuple(one.symbols), pytest.approx(one.score)) for one in found] == plain_search(
        emissions, model, beam, 0.0)


def test_an_utterance_without_a_possible_string_is_not_lost() -> None:
    class Mute(Silent):
        def extend(self, states: Ids, symbols: Ids) -> tuple[Scores, Ids]:
            return np.where(symbols == 1, -np.inf, 0.0), states

    # Nothing but the symbol 1 can be heard in the second frame, and the model forbids it.
    impossible = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.5, 0.25, 0.25]])
    possible = np.array([[0.5, 0.25, 0.25]] * 3)
    with np.errstate(divide="ignore"):
        found = prefix_n_best([np.log(possible), np.log(impossible)], Mute(), 4, 0.0, count=2)
    assert [one.symbols for one in found[0]] == [[2], []]
    assert [one.score for one in found[1]] == [-math.inf]


def test_an_answer_does_not_depend_on_its_company() -> None:
    utterances = [emissions_of(frames, 5, seed=frames) for frames in (7, 30, 1, 12, 30, 0)]
    model = Bigram(5, seed=1)
    together = prefix_n_best(utterances, model, 6, 0.01, 3)
    assert together == [prefix_n_best([one], model, 6, 0.01, 3)[0] for one in utterances]
    assert prefix_n_best([], model, 6, 0.01) == []


def test_more_utterances_than_are_searched_together() -> None:
    utterances = [emissions_of(2 + number % 3, 3, seed=number) for number in range(300)]
    found = prefix_n_best(utterances, Silent(), 2, 0.0)
    assert [best[0].symbols for best in found] == [
        prefix_beam_search(one, Silent(), 2, 0.0) for one in utterances]


def test_no_beam_and_no_number_are_refused() -> None:
    emissions = emissions_of(3, 3, seed=0)
    with pytest.raises(ValueError, match="a beam and a count of 1 at least"):
        prefix_n_best([emissions], Silent(), 0, 0.0)
    emissions[1, 2] = np.nan
    with pytest.raises(ValueError, match="no number"):
        prefix_beam_search(emissions, Silent(), 3, 0.0)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(frames=st.integers(0, 5), symbols=st.integers(2, 4), seed=st.integers(0, 10_000))
def test_a_strings_probability_is_the_sum_over_its_alignments(frames: int, symbols: int,
                                                              seed: int) -> None:
    emissions = emissions_of(frames, symbols, seed)
    for string, probability in string_probabilities(emissions).items():
        assert math.exp(string_log_probability(emissions, string)) == pytest.approx(
            probability, rel=1e-9)


def test_a_string_longer_than_the_sound_is_impossible() -> None:
    assert string_log_probability(emissions_of(3, 3, seed=0), [1, 2, 1, 2]) == -math.inf
    assert string_log_probability(emissions_of(3, 3, seed=0), [1, 1, 2]) == -math.inf
