"""One n-gram model asked in three ways: a stream, one word at a time, all words at once."""

import numpy as np
import pytest

from pipeline.ngram.kneser_ney import estimate
from pipeline.ngram.model import NgramModel
from tests.ngram.corpora import END, random_sentences, stream

WORDS = ["<unk>", END, *"abcdefghijklmnop"]


@pytest.fixture(scope="module")
def model() -> NgramModel:
    return estimate(stream(random_sentences(150, seed=5), WORDS), len(WORDS), 1, 4)


def test_probabilities_of_all_words_sum_to_one(model: NgramModel) -> None:
    unseen = (0, 0, 0)
    for context in [(), (model.start,), (model.start, 2), (2, 3), (2, 2, 2), unseen, (5, 0, 2)]:
        assert np.exp(model.distribution(context)).sum() == pytest.approx(1, abs=1e-5)


def test_stream_and_decoder_agree(model: NgramModel) -> None:
    tokens = np.concatenate([stream(random_sentences(30, seed=6), WORDS), [1, 0, 0, 1]])
    found, state = [], (model.start,)
    for word in tokens.tolist():
        found.append(model.log_probability(state, word))
        state = (model.start,) if word == 1 else (*state, word)[-3:]
    assert model.score(tokens) == pytest.approx(found, abs=1e-6)


def plain_scores(model: NgramModel, sentence: list[int]) -> list[float]:
    """Katz's form from the shortest context on, n-grams in dictionaries."""
    names: list[tuple[int, ...]] = [(word,) for word in range(model.types + 1)]
    tables = [dict(zip(names, range(len(names)), strict=True))]
    for table in model.tables[1:]:
        names = [(*names[key // model.base], key % model.base) for key in table.keys.tolist()]
        tables.append(dict(zip(names, range(len(names)), strict=True)))
    found, text = [], [model.start, *sentence]
    for place in range(1, len(text)):
        log = float(model.tables[0].log_probability[text[place]])
        for length in range(1, min(model.order - 1, place) + 1):
            context, word = tuple(text[place - length : place]), text[place]
            if context in tables[length - 1]:
                log += float(model.tables[length - 1].log_backoff[tables[length - 1][context]])
            if (*context, word) in tables[length]:
                log = float(model.tables[length].log_probability[tables[length][*context, word]])
        found.append(log)
    return found


@pytest.mark.parametrize("order", range(1, 7))
def test_the_streams_scores_are_exact_to_the_last_bit(order: int) -> None:
    model = estimate(stream(random_sentences(150, seed=5), WORDS), len(WORDS), 1, order)
    sentences = [*random_sentences(40, seed=6), [], ["<unk>", "a"], *random_sentences(40, seed=5)]
    found = model.score(stream(sentences, WORDS))
    expected = [log for sentence in sentences
                for log in plain_scores(model, stream([sentence], WORDS).tolist())]
    assert found.tobytes() == np.array(expected).tobytes()


def test_distribution_and_decoder_agree(model: NgramModel) -> None:
    for context in [(), (model.start, 3, 2), (9, 9, 9, 2, 3), (0, 2)]:
        found = [model.log_probability(context, word) for word in range(len(WORDS))]
        assert model.distribution(context) == pytest.approx(found, abs=1e-6)


def test_a_sentence_does_not_remember_the_one_before(model: NgramModel) -> None:
    one, other = np.array([2, 3, 1]), np.array([4, 5, 2, 1])
    together = model.score(np.concatenate([other, one]))
    assert np.array_equal(together[-3:], model.score(one))


def test_an_empty_sentence_is_its_end_alone(model: NgramModel) -> None:
    assert model.score(np.array([1])) == pytest.approx(
        [model.log_probability((model.start,), 1)])


def test_words_outside_the_vocabulary_are_refused(model: NgramModel) -> None:
    with pytest.raises(ValueError, match="outside"):
        model.log_probability((2,), model.start)
    with pytest.raises(ValueError, match="outside"):
        model.log_probability((99,), 2)
    with pytest.raises(ValueError, match="outside"):
        model.score(np.array([2, model.start, 1]))


def test_arrays_are_the_whole_model(model: NgramModel) -> None:
    tokens = stream(random_sentences(20, seed=8), WORDS)
    again = NgramModel.from_arrays(model.types, model.end, model.arrays())
    assert np.array_equal(again.score(tokens), model.score(tokens))
