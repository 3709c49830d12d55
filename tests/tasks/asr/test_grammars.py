"""Language models over a small dictionary against Witten and Bell's method worked out by hand."""

import numpy as np
import pytest

from pipeline.decoding.grammar import Grammar
from pipeline.tasks.asr.shared.grammars import grammar, ngrams

# "Z" is in no transcript, and the dictionary's order is not that of the alphabet.
WORDS = ["B", "Z", "A", "C"]
TRANSCRIPTS = ["A B", "A C", "B"]

# Eight tokens, four kinds of them seen (A, B, C and the end), five kinds in all: below the unigrams
# each has 1/5, so p(w) = (c(w) + 4/5) / (8 + 4).
UNIGRAM = {"A": 2.8 / 12, "B": 2.8 / 12, "C": 1.8 / 12, "Z": 0.8 / 12, "": 3.8 / 12}
# Of each word before ("<s>" at the beginning): how often which word follows. p(w | h) is
# (c(h w) + t(h) p(w)) / (c(h) + t(h)), t(h) the number of different words that follow.
FOLLOWING = {"<s>": {"A": 2, "B": 1}, "A": {"B": 1, "C": 1}, "B": {"": 2}, "C": {"": 1}, "Z": {}}


def bigram(before: str, word: str) -> float:
    """The probability of `word` (empty: the end) behind `before`."""
    follows = FOLLOWING[before]
    kinds = len(follows)
    if not kinds:
        return UNIGRAM[word]
    return (follows.get(word, 0) + kinds * UNIGRAM[word]) / (sum(follows.values()) + kinds)


def scored(found: Grammar, text: str) -> list[float]:
    """The probability of each word of a text, and of the end."""
    state, logs = found.start, []
    for word in text.split():
        logs.append(found.log_probability[state, WORDS.index(word)])
        state = int(found.following[state, WORDS.index(word)])
    return np.exp([*logs, found.end[state]]).tolist()


@pytest.mark.parametrize("text", ["", "A", "A B", "B A C", "C C B A", "A Z B", "Z Z"])
def test_a_bigram_is_witten_bells(text: str) -> None:
    words = text.split()
    expected = [bigram(before, word) for before, word in
                zip(["<s>", *words], [*words, ""], strict=True)]
    assert scored(grammar("bigram", TRANSCRIPTS, WORDS), text) == pytest.approx(expected, rel=1e-5)


def test_a_unigram_knows_no_history() -> None:
    found = grammar("unigram", TRANSCRIPTS, WORDS)
    assert scored(found, "C B Z") == pytest.approx(
        [UNIGRAM["C"], UNIGRAM["B"], UNIGRAM["Z"], UNIGRAM[""]], rel=1e-5)
    assert len(found.end) == 1


def test_a_trigram_backs_off_to_the_bigram() -> None:
    found = grammar("trigram", TRANSCRIPTS, WORDS)
    # "<s> A" was followed by B once and by C once: (1 + 2 p(B | A)) / 4.
    assert scored(found, "A B")[1] == pytest.approx((1 + 2 * bigram("A", "B")) / 4, rel=1e-5)
    # No three words begin with "C A", so what is known is what follows "A".
    assert scored(found, "C A B")[2] == pytest.approx(bigram("A", "B"), rel=1e-5)


def test_uniform_gives_words_and_end_one_probability() -> None:
    found = grammar("uniform", TRANSCRIPTS, WORDS)
    assert scored(found, "A Z") == pytest.approx([1 / 5] * 3)


@pytest.mark.parametrize("name", ["unigram", "bigram", "trigram"])
def test_words_and_end_share_all_probability_in_every_state(name: str) -> None:
    found = grammar(name, TRANSCRIPTS, WORDS)  # type: ignore[arg-type]
    total = np.exp(found.log_probability).sum(axis=1) + np.exp(found.end)
    np.testing.assert_allclose(total, 1, rtol=1e-5)
    # A word of no transcript can be said anywhere, and least likely of all.
    unseen = found.log_probability[:, WORDS.index("Z")]
    assert (unseen > -np.inf).all() and (unseen <= found.log_probability.min(axis=1)).all()


def test_ids_are_places_in_the_dictionary() -> None:
    model = ngrams("bigram", TRANSCRIPTS, WORDS)
    assert (model.end, model.order) == (4, 2)
    assert np.exp(model.log_probability((2,), 0)) == pytest.approx(bigram("A", "B"), rel=1e-5)
