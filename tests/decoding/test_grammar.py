"""Grammars against the language model that they expand, and its own scoring of sentences."""

import numpy as np
import pytest

from pipeline.decoding import grammar
from pipeline.decoding.grammar import Grammar
from pipeline.errors import UserError
from pipeline.ngram.kneser_ney import estimate
from tests.decoding.small import sequences


def scored(found: Grammar, words: tuple[int, ...]) -> float:
    state, total = found.start, 0.0
    for word in words:
        total += found.log_probability[state, word]
        state = int(found.following[state, word])
    return float(total + found.end[state])


@pytest.mark.parametrize("backing_off_is_free", [False, True])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_sentences_score_as_the_model_scores_them(order: int, backing_off_is_free: bool) -> None:
    # Word 4 and the end 5 are the model's own; the recogniser knows its words 3, 0 and 2.
    random = np.random.default_rng(order)
    text = [token for _ in range(15)
            for token in [*random.integers(0, 5, random.integers(1, 5)).tolist(), 5]]
    model = estimate(np.array(text), 6, 5, order)
    if backing_off_is_free:  # as far as weights go, such a context is like none
        for table in model.tables:
            table.log_backoff[:] = 0.0
    ids = [3, 0, 2]
    found = Grammar.of_ngrams(model, ids)
    for words in sequences(3, 5):
        expected = model.score(np.array([*(ids[word] for word in words), 5])).sum()
        assert scored(found, words) == pytest.approx(expected, rel=1e-12), words


def test_a_history_is_kept_only_as_far_as_it_counts() -> None:
    # "0 1" twice: behind 0 and behind 1 the model knows how to go on, and at the beginning. No
    # three words are needed to tell all histories of a trigram apart.
    model = estimate(np.array([0, 1, 2, 0, 1, 2]), 3, 2, 3)
    found = Grammar.of_ngrams(model, [0, 1])
    # <s>, <s> 0, 0 1, and where no trigram goes on: 0 and 1 alone.
    assert len(found.end) == 5
    assert Grammar.of_ngrams(estimate(np.array([0, 1, 2]), 3, 2, 1), [0, 1]).end.shape == (1,)


def test_uniform_words_and_end_are_equally_probable() -> None:
    found = Grammar.uniform(3)
    assert scored(found, (0, 2)) == pytest.approx(3 * np.log(1 / 4), rel=1e-12)


def test_too_many_histories_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grammar, "MOST_ARCS", 11)
    model = estimate(np.array([0, 1, 2, 0, 1, 2]), 3, 2, 3)
    Grammar.of_ngrams(model, [0, 1])
    monkeypatch.setattr(grammar, "MOST_ARCS", 9)
    with pytest.raises(UserError, match="order 3 over 2 words has more than 4 histories"):
        Grammar.of_ngrams(model, [0, 1])
