"""Language models score text as their n-grams do, and decide what the sound leaves open."""

import math

import numpy as np
import pytest

from pipeline.ngram.kneser_ney import estimate
from pipeline.nn.ctc import prefix_beam_search
from pipeline.tasks.asr.shared.language_model import (
    CharacterModel,
    WeightedModel,
    WordModel,
    total,
)

TEXTS = ["A B", "A C A", "B A"]


def test_word_model_scores_words_where_they_end() -> None:
    model = WordModel(TEXTS, [" ", "A", "B", "C"], order=2, alpha=0.7, beta=0.3)
    # Words A, B, C are 0, 1, 2; 3 is any other word, 4 the end.
    oracle = estimate(np.array([0, 1, 4, 0, 2, 0, 4, 1, 0, 4]), types=5, end=4, order=2)
    total, state = 0.0, model.start()
    for symbol in (2, 1, 3, 4, 1):  # "A BC "
        gain, state = model.extend(state, symbol)
        total += gain
    total += model.finish(state)
    logs = [oracle.log_probability((oracle.start,), 0), oracle.log_probability((0,), 3),
            oracle.log_probability((3,), 4)]
    assert total == pytest.approx(0.7 * sum(logs) + 2 * 0.3)
    assert model.extend(model.start(), 2)[0] == 0.0


def test_word_model_closes_the_last_word_at_the_end() -> None:
    model = WordModel(TEXTS, [" ", "A", "B", "C"], order=2, alpha=1.0, beta=0.0)

    def score_of(symbols: tuple[int, ...]) -> float:
        total, state = 0.0, model.start()
        for symbol in symbols:
            gain, state = model.extend(state, symbol)
            total += gain
        return total + model.finish(state)

    assert score_of((2, 1, 3)) == pytest.approx(score_of((2, 1, 3, 1)))


def test_character_model_scores_each_character() -> None:
    model = CharacterModel(TEXTS, [" ", "A", "B", "C"], order=3, alpha=0.5, beta=0.25)
    tokens = [number for text in TEXTS for number in (*(" ABC".index(c) + 1 for c in text), 5)]
    oracle = estimate(np.array(tokens), types=6, end=5, order=3)
    total, state, context = 0.0, model.start(), (oracle.start,)
    for symbol in (3, 1, 2):
        gain, state = model.extend(state, symbol)
        assert gain == pytest.approx(0.5 * oracle.log_probability(context, symbol) + 0.25)
        context = (*context, symbol)[-2:]
        total += gain
    assert model.finish(state) == pytest.approx(0.5 * oracle.log_probability(context, 5))
    assert math.isfinite(total)


def test_a_language_model_decides_what_the_sound_leaves_open() -> None:
    # B and C are equally loud; after A the training texts have B three times as often.
    emissions = np.log(np.array([[0.01, 0.01, 0.97, 0.005, 0.005], [0.97, 0.0075, 0.0075, 0.0075,
                                 0.0075], [0.02, 0.01, 0.01, 0.475, 0.485]]))
    texts = ["AB", "AB", "AB", "AC"]
    for alpha, answer in ((0.0, [2, 4]), (1.0, [2, 3])):
        model = CharacterModel(texts, [" ", "A", "B", "C"], order=2, alpha=alpha, beta=0.0)
        assert prefix_beam_search(emissions, model, beam=50, least_posterior=0.0) == answer


@pytest.mark.parametrize("kind", [CharacterModel, WordModel])
def test_a_score_is_linear_in_the_weights(kind: type[CharacterModel | WordModel]) -> None:
    model: WeightedModel = kind(TEXTS, [" ", "A", "B", "C"], order=2, alpha=0.5, beta=2.0)
    string = [2, 1, 3, 4]  # "A BC"
    fluency, units = (total(model.weighted(*pair), string) for pair in ((1.0, 0.0), (0.0, 1.0)))
    assert units == (4 if kind is CharacterModel else 2) and fluency < 0
    assert total(model, string) == pytest.approx(0.5 * fluency + 2.0 * units)
