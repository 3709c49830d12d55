"""Relative frequencies of the lecture, and interpolation by hand."""

import numpy as np
import pytest

from pipeline.tasks.tagging.shared.counts import (
    deleted_interpolation,
    interpolated,
    relative_frequencies,
    tag_ngram_counts,
    vocabulary_rows,
    word_tag_counts,
)
from pipeline.tasks.tagging.shared.text import Text

MD, VB, RB, END = 0, 1, 2, 3


def test_the_lectures_relative_frequencies() -> None:
    # A modal 13,124 times: a verb follows 10,471 times, and the modal is `will` 4,046 times.
    sentences = ([["will", "go"]] * 4046 + [["can", "go"]] * (10471 - 4046)
                 + [["can", "not"]] * (13124 - 10471))
    tags = [[MD, VB]] * 10471 + [[MD, RB]] * (13124 - 10471)
    text = Text.of(sentences, tags)
    transitions = relative_frequencies(tag_ngram_counts(text, 3, 2))
    assert transitions[MD, VB] == pytest.approx(10471 / 13124, rel=1e-12)
    assert round(transitions[MD, VB], 2) == 0.80
    counts = word_tag_counts(text, ["will", "can"], 3)
    emissions = relative_frequencies(counts.T)
    assert emissions[MD, 0] == pytest.approx(4046 / 13124, rel=1e-12)
    assert round(emissions[MD, 0], 2) == 0.31


def test_ngrams_begin_and_end_at_the_boundary() -> None:
    text = Text.of([["a", "b"], [], ["c"]], [[MD, VB], [], [VB]])
    pairs = np.zeros((4, 4))
    for first, second in ((END, MD), (MD, VB), (VB, END), (END, VB), (VB, END)):
        pairs[first, second] += 1
    assert np.array_equal(tag_ngram_counts(text, 3, 2), pairs)
    triples = np.zeros((4, 4, 4))
    for triple in ((END, END, MD), (END, MD, VB), (MD, VB, END), (END, END, VB), (END, VB, END)):
        triples[triple] += 1
    assert np.array_equal(tag_ngram_counts(text, 3, 3), triples)


def test_words_outside_the_vocabulary_have_a_row_of_their_own() -> None:
    assert vocabulary_rows(["b", "x", "a"], ["a", "b"]).tolist() == [1, 2, 0]
    text = Text.of([["a", "x", "a"]], [[0, 1, 1]])
    assert word_tag_counts(text, ["a", "b"], 2).tolist() == [[1, 1], [0, 0]]


def test_deleted_interpolation_by_hand() -> None:
    # Pairs: 0-0 five times, 0-1 once, 1-0 once; N = 7, tag 0 is second six times of seven.
    counts = np.array([[5.0, 1.0], [1.0, 0.0]])
    # 0-0: pair (5-1)/(6-1) = 0.8, tag (6-1)/(7-1) = 0.83: five for the tag.
    # 0-1: pair 0/5, tag 0/6: a draw, the lower order keeps it. 1-0: pair has 0 of 0; tag 5/6.
    assert deleted_interpolation(counts).tolist() == [1.0, 0.0]
    # With tag 1 after 0 always and tag 0 after 1 always the pair is certain, the tag is not.
    assert deleted_interpolation(np.array([[0.0, 4.0], [4.0, 0.0]])).tolist() == [0.0, 1.0]


def test_interpolated_probabilities_sum_to_one_and_mix_the_orders() -> None:
    random = np.random.default_rng(0)
    counts = random.integers(0, 4, (4, 4, 4)).astype(float)
    found = interpolated(counts)
    seen = counts.sum(axis=-1) > 0
    assert found.sum(axis=-1)[seen] == pytest.approx(1.0)
    weights = deleted_interpolation(counts)
    by_hand = (weights[0] * counts[:, :, 2].sum() / counts.sum()
               + weights[1] * counts[:, 1, 2].sum() / counts[:, 1].sum()
               + weights[2] * counts[0, 1, 2] / counts[0, 1].sum())
    assert found[0, 1, 2] == pytest.approx(by_hand)


def test_unseen_contexts_have_no_relative_frequency() -> None:
    assert relative_frequencies(np.array([[1.0, 3.0], [0.0, 0.0]])).tolist() == [[0.25, 0.75],
                                                                               [0.0, 0.0]]
