"""Words of a dictionary alone are written, and score as the n-gram model of words says."""

import math
from itertools import product

import numpy as np
import pytest

from pipeline.nn.ctc_nbest import prefix_n_best, string_log_probability
from pipeline.storage.words import words_in
from pipeline.tasks.asr.shared.grammars import LanguageModel, ngrams
from pipeline.tasks.asr.shared.language_model import total
from pipeline.tasks.asr.shared.word_tree import WordTree

SYMBOLS = [" ", "A", "B", "C"]
WORDS = ["AB", "A", "ABC", "CAB", "D'OR", "B"]
TEXTS = ["AB A", "CAB AB A", "ABC", "AB AB"]


def tree(name: LanguageModel = "bigram", alpha: float = 1.0, beta: float = 0.0) -> WordTree:
    return WordTree(TEXTS, WORDS, SYMBOLS, name, alpha, beta)


def spelt(text: str) -> list[int]:
    return [SYMBOLS.index(letter) + 1 for letter in text]


def by_words(name: LanguageModel, text: str, alpha: float, beta: float) -> float:
    """The score by the definition, with the words in another order."""
    model = ngrams(name, TEXTS, WORDS)
    ids = [model.start, *(WORDS.index(word) for word in words_in(text)), model.end]
    logs = [model.log_probability(ids[:place], ids[place]) for place in range(1, len(ids))]
    return alpha * sum(logs) + beta * (len(ids) - 2)


@pytest.mark.parametrize("name", ["unigram", "bigram", "trigram"])
@pytest.mark.parametrize("text", ["", "A", "AB", "ABC CAB AB", "B B B A"])
def test_words_score_as_the_model_of_words(name: LanguageModel, text: str) -> None:
    assert total(tree(name, 0.7, 0.4), spelt(text)) == pytest.approx(
        by_words(name, text, 0.7, 0.4), abs=1e-5)


@pytest.mark.parametrize("text", ["C", "BA", "A  A", " A", "A ", "AB C", "CA B", " ", "AC"])
def test_what_is_no_words_is_forbidden(text: str) -> None:
    assert total(tree(), spelt(text)) == -math.inf


def test_letters_pay_for_what_they_rule_out() -> None:
    """Beside AB, which is frequent, A costs nothing yet; the C that leaves ABC alone does."""
    model = tree()
    state = model.start()
    gains = []
    for symbol in spelt("ABC"):
        gain, state = model.extend(state, symbol)
        gains.append(gain)
    logs = ngrams("bigram", TEXTS, WORDS)
    of = {word: logs.log_probability((logs.start,), number) for number, word in enumerate(WORDS)}
    assert gains == pytest.approx([of["AB"], 0.0, of["ABC"] - of["AB"]], abs=1e-5)


def test_other_weights_leave_a_model_as_it_was() -> None:
    model = tree("bigram", 0.5, 2.0)
    other = model.weighted(2.0, -1.0)
    assert total(other, spelt("AB A")) == pytest.approx(by_words("bigram", "AB A", 2.0, -1.0),
                                                        abs=1e-5)
    assert total(model, spelt("AB A")) == pytest.approx(by_words("bigram", "AB A", 0.5, 2.0),
                                                        abs=1e-5)
    assert total(model.weighted(0.0, 1.0), spelt("AB A CAB")) == 3


def test_a_full_beam_finds_the_best_of_all_sentences() -> None:
    logits = np.random.default_rng(4).normal(0, 1.0, (6, 5))
    emissions = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    model = tree("bigram", 0.8, 1.5)
    scores = {}
    for length in range(7):
        for symbols in product(range(1, 5), repeat=length):
            text = "".join(SYMBOLS[symbol - 1] for symbol in symbols)
            if text == " ".join(words_in(text)) and set(words_in(text)) <= set(WORDS):
                scores[text] = (string_log_probability(emissions, symbols)
                                + by_words("bigram", text, 0.8, 1.5))
    assert len(scores) > 30
    wanted = sorted(scores.items(), key=lambda item: -item[1])[:10]
    found = prefix_n_best(emissions, model, 10_000, 0.0, 10)
    assert [string for string, _ in found] == [spelt(text) for text, _ in wanted]
    assert [score for _, score in found] == pytest.approx([score for _, score in wanted], abs=1e-4)


def test_without_a_space_there_is_one_word() -> None:
    model = WordTree(["A", "B"], ["A", "B", "AB"], ["A", "B"], "unigram", 1.0, 0.0)
    assert math.isfinite(total(model, [1, 2]))
    assert total(model, [2, 1]) == -math.inf
