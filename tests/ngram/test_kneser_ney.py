"""The vectorised estimator against the textbook's formula over dictionaries."""

import numpy as np
import pytest

from pipeline.ngram.kneser_ney import FALLBACK_DISCOUNTS, discounts, estimate
from tests.ngram.corpora import END, START, Textbook, random_sentences, stream

WORDS = ["<unk>", END, *"abcdefghijklmnop"]


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("count", [3, 120])
def test_every_probability_is_the_textbooks(order: int, count: int) -> None:
    sentences = random_sentences(count, seed=order)
    model = estimate(stream(sentences, WORDS), len(WORDS), 1, order)
    textbook = Textbook(sentences, len(WORDS), order)
    ids = {START: model.start, **{word: number for number, word in enumerate(WORDS)}}
    for sentence in random_sentences(6, seed=99):
        context: tuple[str, ...] = (START,)
        for word in (*sentence, END):
            found = model.log_probability([ids[item] for item in context], ids[word])
            assert np.exp(found) == pytest.approx(textbook.probability(context, word), rel=1e-5)
            context = (*context, word)


def test_the_discounts_of_the_large_text_are_estimated_not_fallbacks() -> None:
    textbook = Textbook(random_sentences(120, seed=3), len(WORDS), 3)
    assert textbook.discounts[3] != [0.0, *FALLBACK_DISCOUNTS]


def test_discounts_by_hand() -> None:
    """n1 = 4, n2 = 2, n3 = 1, n4 = 1: Y = 1/2; D = 1 - 1/2, 2 - 3/4, 3 - 2."""
    adjusted = np.array([1, 1, 1, 1, 2, 2, 3, 4, 9, 0])
    assert discounts(adjusted, 1) == pytest.approx([0, 0.5, 1.25, 1.0])


def test_discounts_that_cannot_be_estimated_are_announced(capsys: pytest.CaptureFixture) -> None:
    estimate(stream([("a", "b"), ("b", "a")], WORDS), len(WORDS), 1, 2)
    assert capsys.readouterr().err.splitlines() == [
        "Kneser-Ney, order 1: discounts cannot be estimated from how many n-grams are counted 1, "
        "2, 3 and 4 times (0, 3, 0, 0); they are 0.5, 1.0, 1.5",
        "Kneser-Ney, order 2: discounts cannot be estimated from how many n-grams are counted 1, "
        "2, 3 and 4 times (6, 0, 0, 0); they are 0.5, 1.0, 1.5"]
    discounts(np.array([1, 1, 1, 1, 2, 2, 3, 4]), 1)
    assert not capsys.readouterr().err


def test_a_word_never_seen_has_its_share_of_the_uniform_distribution() -> None:
    model = estimate(np.array([2, 2, 3, 1]), 5, 1, 2)
    unseen = [model.log_probability((2,), word) for word in (0, 4)]
    assert unseen[0] == unseen[1] > -10


@pytest.mark.parametrize("tokens, order, message", [
    ([2, 3], 2, "not closed"), ([], 2, "not closed"), ([2, 7, 1], 2, "outside 0 .. 4"),
    ([-1, 1], 2, "outside"), ([2, 1], 0, "at least 1")])
def test_what_is_no_text_is_refused(tokens: list[int], order: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimate(np.array(tokens, dtype=np.int32), 5, 1, order)
