"""Viterbi against the lecture's examples and against every path, written out."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.hmm.viterbi import Candidates, viterbi


def log(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return np.log(probabilities)


def decoded(transitions: list[list[float]], start: list[float],
            emissions: dict[str, list[float]]) -> tuple[list[int], float]:
    """The best path of the words of `emissions`, in their order, and its probability.

    The tables are as a textbook prints them: P(to | from), P(first), P(word | tag); any tag may
    end.
    """
    rows = np.array([*transitions, start])
    whole = np.append(rows, np.ones((len(rows), 1)), axis=1)
    found, score = viterbi(log(whole), Candidates.of(log(np.array([*emissions.values()])),
                                                     len(start)),
                           np.arange(len(emissions)), np.array([0, len(emissions)]))
    return found.tolist(), math.exp(score[0])


def test_janet_will_back_the_bill() -> None:
    # Jurafsky and Martin, Speech and Language Processing (3rd ed. draft), figures 8.12 and 8.13.
    tags = ["NNP", "MD", "VB", "JJ", "NN", "RB", "DT"]
    start = [0.2767, 0.0006, 0.0031, 0.0453, 0.0449, 0.0510, 0.2026]
    transitions = [
        [0.3777, 0.0110, 0.0009, 0.0084, 0.0584, 0.0090, 0.0025],
        [0.0008, 0.0002, 0.7968, 0.0005, 0.0008, 0.1698, 0.0041],
        [0.0322, 0.0005, 0.0050, 0.0837, 0.0615, 0.0514, 0.2231],
        [0.0366, 0.0004, 0.0001, 0.0733, 0.4509, 0.0036, 0.0036],
        [0.0096, 0.0176, 0.0014, 0.0086, 0.1216, 0.0177, 0.0068],
        [0.0068, 0.0102, 0.1011, 0.1012, 0.0120, 0.0728, 0.0479],
        [0.1147, 0.0021, 0.0002, 0.2157, 0.4744, 0.0102, 0.0017]]
    emissions = {
        "Janet": [0.000032, 0, 0, 0, 0, 0, 0],
        "will": [0, 0.308431, 0.000028, 0, 0.000200, 0, 0],
        "back": [0, 0, 0.000672, 0.000340, 0.000223, 0.010446, 0],
        "the": [0.000048, 0, 0, 0, 0, 0, 0.506099],
        "bill": [0, 0, 0.000028, 0, 0.002337, 0, 0]}
    found, probability = decoded(transitions, start, emissions)
    assert [tags[tag] for tag in found] == ["NNP", "MD", "VB", "DT", "NN"]
    # The product along that path, factor by factor.
    assert probability == pytest.approx(
        0.2767 * 0.000032 * 0.0110 * 0.308431 * 0.7968 * 0.000672 * 0.2231 * 0.506099 * 0.4744
        * 0.002337, rel=1e-9)
    assert probability == pytest.approx(2.0136e-15, rel=1e-4)


def test_cats_cannot_fly() -> None:
    # A toy model: N V V has 0.7 * 0.1 * 0.6 * 0.1 * 0.2 * 0.1 = 8.4e-5, the next best path, N V N,
    # 0.7 * 0.1 * 0.6 * 0.1 * 0.3 * 0.05 = 6.3e-5.
    emissions = {"Cats": [0.1, 0.0], "cannot": [0.0, 0.1], "fly": [0.05, 0.1]}
    found, probability = decoded([[0.3, 0.6], [0.3, 0.2]], [0.7, 0.3], emissions)
    assert ["NV"[tag] for tag in found] == ["N", "V", "V"]
    assert probability == pytest.approx(8.4e-5, rel=1e-12)


@settings(max_examples=40)
@given(order=st.integers(2, 4), tags=st.integers(1, 3), seed=st.integers(0, 10_000),
       lengths=st.lists(st.integers(0, 5), min_size=1, max_size=4))
def test_the_best_of_all_paths_is_found(order: int, tags: int, seed: int,
                                        lengths: list[int]) -> None:
    random = np.random.default_rng(seed)
    transitions = random.normal(0, 2, (tags + 1,) * order)
    scores = random.normal(0, 2, (6, tags))
    # Some forms cannot have some tags, but each has one.
    scores[(random.random(scores.shape) < 0.3) & (np.arange(tags) != 0)] = -np.inf
    sentences = [random.integers(0, 6, length).tolist() for length in lengths]
    offsets = np.cumsum([0, *lengths])
    found, best = viterbi(transitions, Candidates.of(scores, tags),
                          np.array(sum(sentences, []), np.int32), offsets)
    for row, sentence in enumerate(sentences):
        every = {path: along(path, sentence, transitions, scores)
                 for path in product(range(tags), repeat=len(sentence))}
        answer = tuple(found[offsets[row] : offsets[row + 1]].tolist())
        assert every[answer] == pytest.approx(max(every.values()), rel=1e-12)
        assert best[row] == pytest.approx(every[answer], rel=1e-12)


def along(path: tuple[int, ...], sentence: list[int], transitions: NDArray[np.float64],
          scores: NDArray[np.float64]) -> float:
    """Score of one path, by the definition; an empty sentence scores nothing."""
    if not sentence:
        return 0.0
    order, boundary = transitions.ndim, len(transitions) - 1
    whole = (boundary,) * (order - 1) + path + (boundary,)
    moved = sum(transitions[whole[place : place + order]] for place in range(len(path) + 1))
    return float(moved + sum(scores[word, tag] for word, tag in zip(sentence, path, strict=True)))


def test_candidates_are_the_best_states_with_the_lower_first() -> None:
    scores = np.array([[-1.0, -np.inf, -1.0, 0.0], [-np.inf, -2.0, -np.inf, -np.inf]])
    found = Candidates.of(scores, 2)
    assert found.counts.tolist() == [2, 1]
    assert found.states[0].tolist() == [3, 0] and found.states[1, 0] == 1
    assert found.scores.tolist() == [[0.0, -1.0], [-2.0, -np.inf]]
    with pytest.raises(ValueError, match="no state can emit symbol 1"):
        Candidates.of(np.array([[0.0], [-np.inf]]), 1)
