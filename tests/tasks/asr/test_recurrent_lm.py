"""The recurrent language model: its probabilities are some, and see farther than n-grams do."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from pipeline.tasks.asr.shared.grammars import ngrams
from pipeline.tasks.asr.shared.recurrent_lm import RecurrentLm, RecurrentSettings

SETTINGS = RecurrentSettings(embedding=12, hidden=24, dropout=0.1, batch_sentences=8,
                             learning_rate=0.01, epochs=30, patience=6)
# Who begins a sentence ends it; what stands between does not tell.
SUBJECTS, MIDDLES = ["A", "B", "C"], ["X", "Y", "Z"]
WORDS = [*SUBJECTS, *MIDDLES, "NEVER"]
ALL = [[who, one, other, who] for who in SUBJECTS for one in MIDDLES for other in MIDDLES]
LEARNT = [sentence for number, sentence in enumerate(ALL) if number % 4]
KEPT_BACK = ALL[::4]


@pytest.fixture(scope="module")
def learnt() -> RecurrentLm:
    return RecurrentLm.trained(SETTINGS, WORDS, LEARNT, KEPT_BACK, seed=3)


def perplexity(order: str) -> float:
    """An n-gram model's, of the sentences kept back."""
    model = ngrams(order, [" ".join(words) for words in LEARNT], WORDS)  # type: ignore[arg-type]
    tokens = [token for words in KEPT_BACK for token in (*map(WORDS.index, words), model.end)]
    return math.exp(-model.score(np.array(tokens)).mean())


@pytest.mark.parametrize("said", [[], ["A"], ["C", "X", "Z"], ["NEVER"] * 9])
def test_all_next_words_and_the_end_share_one(learnt: RecurrentLm, said: list[str]) -> None:
    found = learnt.next_word(said)
    assert found.shape == (len(WORDS) + 1,)
    assert np.exp(found).sum() == pytest.approx(1, abs=1e-5)


def test_a_sentences_probabilities_are_those_of_its_words_and_its_end(learnt: RecurrentLm) -> None:
    sentence = ["B", "Y", "NEVER", "B"]
    (found,) = learnt.log_probabilities([sentence])
    expected = [learnt.next_word(sentence[:place])[WORDS.index(word)]
                for place, word in enumerate(sentence)] + [learnt.next_word(sentence)[-1]]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_sentence_scores_the_same_alone_and_beside_longer_ones(learnt: RecurrentLm) -> None:
    random = np.random.default_rng(0)
    sentences = [[], *(list(random.choice(WORDS, length)) for length in (1, 9, 2, 5)), *ALL * 3]
    together = learnt.log_probabilities(sentences)
    assert [len(logs) for logs in together] == [len(words) + 1 for words in sentences]
    for sentence, logs in zip(sentences, together, strict=True):
        np.testing.assert_allclose(logs, learnt.log_probabilities([sentence])[0], atol=1e-5)


def test_what_stands_far_back_makes_it_better_than_n_grams(learnt: RecurrentLm) -> None:
    # Given its first word a sentence has nine forms, and three words may be first.
    ideal = 27 ** (1 / 5)
    assert ideal < learnt.perplexity(KEPT_BACK) < 0.9 * perplexity("bigram")
    assert perplexity("bigram") < perplexity("unigram")
    assert learnt.next_word(["A", "X", "Y"])[0] > np.log(0.6)


def test_perplexity_is_of_words_and_ends(learnt: RecurrentLm) -> None:
    logs = learnt.log_probabilities([["A"], ["C", "X"]])
    assert learnt.perplexity([["A"], ["C", "X"]]) == pytest.approx(
        math.exp(-sum(map(sum, logs)) / 5))


def test_a_seed_gives_the_same_weights_and_leaves_other_random_numbers_alone() -> None:
    short = SETTINGS.model_copy(update={"epochs": 2})
    torch.manual_seed(5)
    untouched = torch.rand(3)
    torch.manual_seed(5)
    first = RecurrentLm.trained(short, WORDS, LEARNT, KEPT_BACK, seed=1).tensors()
    assert torch.equal(torch.rand(3), untouched)
    again, other = (RecurrentLm.trained(short, WORDS, LEARNT, KEPT_BACK, seed=seed).tensors()
                    for seed in (1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)


def test_what_many_voices_say_is_learnt_once() -> None:
    short = SETTINGS.model_copy(update={"epochs": 2})
    once = RecurrentLm.trained(short, WORDS, LEARNT, KEPT_BACK, seed=1)
    often = RecurrentLm.trained(short, WORDS, LEARNT * 3, KEPT_BACK * 2, seed=1)
    assert once.next_word(["A"]).tolist() == often.next_word(["A"]).tolist()


def test_the_best_epochs_weights_are_kept() -> None:
    """Noise is learnt by heart: more epochs do the validation sentences harm."""
    random = np.random.default_rng(1)
    noise, others = (list(map(list, random.choice(WORDS, (12, 5)))) for _ in range(2))
    quick = SETTINGS.model_copy(update={"dropout": 0.0, "learning_rate": 0.03, "patience": 99})

    def after(**changes: int) -> float:
        settings = quick.model_copy(update=changes)
        return RecurrentLm.trained(settings, WORDS, noise, others, seed=1).perplexity(others)

    found = [after(epochs=epochs) for epochs in (1, 2, 4, 8, 40)]
    assert all(later <= before for before, later in pairwise(found))
    assert found[-1] == found[-2], "no epoch after the eighth was better"
    assert after(epochs=40, patience=1) == pytest.approx(min(found), rel=0.2)


def test_a_restored_model_says_the_same(learnt: RecurrentLm) -> None:
    found = RecurrentLm.restored(SETTINGS, WORDS, learnt.tensors())
    for one, other in zip(found.log_probabilities(ALL), learnt.log_probabilities(ALL),
                          strict=True):
        np.testing.assert_array_equal(one, other)
    # A table of eight rows, the LSTM's four gates with two biases, and the output's.
    assert found.parameters_count == 8 * 12 + 4 * 24 * (12 + 24 + 2) + 8 * (24 + 1)
    with pytest.raises(RuntimeError):
        RecurrentLm.restored(SETTINGS, WORDS[1:], learnt.tensors())


def test_nothing_to_learn_or_to_stop_by_is_an_error() -> None:
    for transcripts, validation in (([], KEPT_BACK), (LEARNT, [])):
        with pytest.raises(ValueError, match="needs sentences"):
            RecurrentLm.trained(SETTINGS, WORDS, transcripts, validation, seed=1)
