"""Steps of many hypotheses at once are those of one at a time, to the last bit."""

from collections.abc import Callable

import numpy as np
import pytest

from pipeline.ngram.kneser_ney import estimate as kneser_ney
from pipeline.ngram.model import NgramModel
from pipeline.ngram.states import NgramStates
from pipeline.ngram.witten_bell import estimate as witten_bell
from tests.ngram.corpora import END, random_sentences, stream

WORDS = ["<unk>", END, *"abcdefghijklmnop"]


@pytest.mark.parametrize("estimate", [kneser_ney, witten_bell])
@pytest.mark.parametrize("order", [1, 2, 3, 6])
def test_steps_are_the_decoders(estimate: Callable[..., NgramModel], order: int) -> None:
    model = estimate(stream(random_sentences(150, seed=5), WORDS), len(WORDS), 1, order)
    states = NgramStates(model)
    random = np.random.default_rng(order)
    count = 300
    # Half of the histories begin a sentence, half have no beginning; letters and the unknown word.
    state = np.where(np.arange(count) % 2, states.start, 0)
    histories: list[tuple[int, ...]] = [(model.start,) if row % 2 else () for row in range(count)]
    for _ in range(12):
        words = random.integers(0, 8, count)
        logs, state = states.step(state, words)
        expected = [model.log_probability(history, word)
                    for history, word in zip(histories, words.tolist(), strict=True)]
        assert logs.tobytes() == np.array(expected).tobytes()
        histories = [(*history, word)
                     for history, word in zip(histories, words.tolist(), strict=True)]
    assert state.max() < states.count


def test_as_many_steps_as_are_not_remembered() -> None:
    types = 300
    tokens = np.random.default_rng(0).integers(0, types, 3000)
    tokens[-1] = 0
    model = kneser_ney(tokens, types, 0, 2)
    states = NgramStates(model)
    contexts, words = (ids.ravel() for ids in np.mgrid[:types, :types])
    _, state = states.step(np.zeros(len(contexts), np.int64), contexts)
    for _ in range(2):
        logs, following = states.step(state, words)
        expected = np.concatenate([model.distribution((context,)) for context in range(types)])
        np.testing.assert_allclose(logs, expected, atol=1e-6)
        assert np.array_equal(following, states.step(np.zeros_like(words), words)[1])
