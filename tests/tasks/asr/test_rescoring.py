"""Lists of hypotheses scored again: mixtures word by word, the grid, and what is answered."""

from itertools import pairwise

import jiwer
import numpy as np
import pytest

from pipeline.decoding.network import Weights
from pipeline.tasks.asr.shared.grammars import grammar
from pipeline.tasks.asr.shared.grids import best_of
from pipeline.tasks.asr.shared.recogniser import Decoding, Recogniser
from pipeline.tasks.asr.shared.recurrent_lm import RecurrentLm, RecurrentSettings
from pipeline.tasks.asr.shared.rescoring import (
    Listed,
    Rescorer,
    grammar_logs,
    list_confidences,
)
from pipeline.tasks.asr.shared.vocabulary import Vocabulary
from tests.tasks.asr.spoken import LEXICON, TIED
from tests.tasks.asr.test_recogniser import spelt
from tests.tasks.asr.weighed import pair, triple

WORDS = list(LEXICON)
TEXTS = ["NO SIX NO", "ONE SIX ONE", "NO TEN NO", "ONE TEN ONE", "TWO SIX TWO", "TWO TEN TWO"]
DECODING = Decoding(beam=300.0, most=10_000, lattice_beam=40.0, language_weights=[1.0, 2.0, 4.0],
                    word_scores=[-2.0, 0.0, 2.0], alternatives=4)
SETTINGS = RecurrentSettings(embedding=12, hidden=24, dropout=0.0, batch_sentences=2,
                             learning_rate=0.02, epochs=40, patience=40)
OWN = Weights(1.0, 2.0, 0.0)
REFERENCES = ["NO SIX NO", "TWO TEN TWO", "ONE SIX ONE", "NO TEN NO"]


@pytest.fixture(scope="module")
def recurrent() -> RecurrentLm:
    sentences = [text.split() for text in TEXTS]
    return RecurrentLm.trained(SETTINGS, WORDS, sentences, sentences, seed=1)


@pytest.fixture(scope="module")
def first() -> Recogniser:
    return Vocabulary(dict(LEXICON), TEXTS, 0.01).recogniser("bigram", TIED, DECODING, OWN)


@pytest.fixture(scope="module")
def rescorer(first: Recogniser, recurrent: RecurrentLm) -> Rescorer:
    return Rescorer(first, grammar("bigram", TEXTS, first.network.words), recurrent, 60)


@pytest.fixture(scope="module")
def heard() -> list[np.ndarray]:
    """Utterances of `REFERENCES` in so much noise that the bigram errs."""
    random = np.random.default_rng(4)
    return [spelt(text, -3.0) + random.normal(0, 2.6, spelt(text).shape) for text in REFERENCES]


def errors_of(reference: str, text: str) -> int:
    found = jiwer.process_words(reference, text)
    return found.substitutions + found.deletions + found.insertions


def test_parts_are_those_of_the_search_and_of_both_models(
        rescorer: Rescorer, recurrent: RecurrentLm, heard: list[np.ndarray]) -> None:
    found, _ = rescorer.listed(heard[0])
    assert 10 < len(found.words) <= 60
    # By the search's own parts, its order comes out again.
    own = found.scores(OWN, 0.0)
    assert all(better >= worse - 1e-9 for better, worse in pairwise(own.tolist()))
    for place, words in enumerate(found.words):
        text = [WORDS[word] for word in words]
        np.testing.assert_allclose(found.recurrent[found.owners == place],
                                   recurrent.log_probabilities([text])[0], atol=1e-5)
        np.testing.assert_array_equal(found.ngram[found.owners == place],
                                      grammar_logs(rescorer.grammar, words))


def test_the_n_grams_own_weights_without_a_mix_give_back_its_answers(
        rescorer: Rescorer, first: Recogniser, heard: list[np.ndarray]) -> None:
    own = triple(OWN.language, OWN.word, 0.0, 0, 1)
    found, expected = (list(answers) for answers in (
        rescorer.answers(heard, own), first.answers(heard)))
    for answer, other in zip(found, expected, strict=True):
        assert answer["hypothesis"] == other["hypothesis"]
        assert answer["alternatives"] == [
            {"text": one["text"], "score": pytest.approx(one["score"], abs=2e-3)}
            for one in other["alternatives"]]
        assert [(word["word"], word["begin"], word["end"]) for word in answer["words"]] == [
            (word["word"], word["begin"], word["end"]) for word in other["words"]]


def test_the_grid_without_a_mix_is_that_of_the_first_pass(
        rescorer: Rescorer, first: Recogniser, heard: list[np.ndarray]) -> None:
    found = rescorer.tried(heard, REFERENCES, [0.0])
    assert [pair(one["language"], one["word"], one.errors, one.words)
            for one in found] == first.tried(heard, REFERENCES)
    assert len({one.errors for one in found}) > 1


def test_a_mixture_is_of_probabilities_word_by_word() -> None:
    one = Listed(((0, 1), (2,)), np.array([-7.0, -5.0]), np.log([0.5, 0.2, 0.1, 0.4, 0.3]),
                 np.log([0.1, 0.6, 0.3, 0.8, 0.7]), np.array([0, 0, 0, 1, 1]))
    expected = np.log([(0.75 * 0.5 + 0.25 * 0.1) * (0.75 * 0.2 + 0.25 * 0.6)
                       * (0.75 * 0.1 + 0.25 * 0.3), 0.5 * (0.75 * 0.3 + 0.25 * 0.7)])
    np.testing.assert_allclose(one.language(0.25), expected)
    np.testing.assert_allclose(one.scores(Weights(1.0, 3.0, -2.0), 0.25),
                               [-7 + 3 * expected[0] - 4, -5 + 3 * expected[1] - 2])
    np.testing.assert_allclose(one.language(0.0), np.log([0.01, 0.12]))
    np.testing.assert_allclose(one.language(1.0), np.log([0.018, 0.56]))
    # What one model takes for impossible, the other one says.
    strict = Listed(one.words, one.acoustic, np.where(one.owners, -np.inf, one.ngram),
                    one.recurrent, one.owners)
    np.testing.assert_allclose(np.exp(strict.language(0.5)[1]), 0.4 * 0.35)


def test_every_trial_is_the_best_of_the_list_by_the_formula(
        rescorer: Rescorer, recurrent: RecurrentLm, heard: list[np.ndarray]) -> None:
    mixes = [0.0, 0.5, 1.0]
    lists = [rescorer.listed(scores)[0] for scores in heard]
    for trial in rescorer.tried(heard, REFERENCES, mixes):
        errors = 0
        for found, reference in zip(lists, REFERENCES, strict=True):
            scores = []
            for words, acoustic in zip(found.words, found.acoustic, strict=True):
                logs = recurrent.log_probabilities([[WORDS[word] for word in words]])[0]
                both = (trial["mix"] * np.exp(logs)
                        + (1 - trial["mix"]) * np.exp(grammar_logs(rescorer.grammar, words)))
                scores.append(acoustic + trial["language"] * np.log(both).sum()
                              + trial["word"] * len(words))
            errors += errors_of(reference, " ".join(
                WORDS[word] for word in found.words[int(np.argmax(scores))]))
        assert (trial.errors, trial.words) == (errors, 12), trial


def test_a_model_of_whole_sentences_mends_what_a_bigram_cannot_know(
        rescorer: Rescorer, heard: list[np.ndarray]) -> None:
    found = rescorer.tried(heard, REFERENCES, [0.0, 0.25, 0.5, 0.75, 1.0])
    alone = min(one.errors for one in found if one["mix"] == 0)
    best = best_of(found)
    assert best.errors < alone
    (answer,) = rescorer.answers(heard[:1], best)
    others = [one["score"] for one in answer["alternatives"]]
    assert answer["alternatives"][0]["text"] == answer["hypothesis"] == "NO SIX NO"
    assert len(others) == 4 and all(better >= worse for better, worse in pairwise(others))


def test_confidence_is_the_share_of_hypotheses_that_have_the_word() -> None:
    shares = np.array([0.5, 0.3, 0.2])
    # Aligned with A B C: A X C has no B; in B C, an A is missing.
    found = list_confidences([(0, 1, 2), (0, 9, 2), (1, 2)], 4 * np.log(shares) - 80, 0.25)
    assert found == pytest.approx([0.8, 0.7, 1.0])
    assert list_confidences([(), (1,)], np.zeros(2), 1.0) == []


@pytest.mark.parametrize("frames", [0, 1, 3, 5])
def test_an_utterance_too_short_for_any_word_is_answered(rescorer: Rescorer, frames: int) -> None:
    (answer,) = rescorer.answers([spelt("NO")[:frames]], triple(2.0, 0.0, 0.5, 0, 1))
    assert (answer["hypothesis"], answer["words"]) == ("", [])
    assert {trial.errors for trial in rescorer.tried([spelt("NO")[:frames]], ["NO"], [0.5])} == {1}


def test_a_sentence_that_is_cut_off_is_not_charged_for_its_end(rescorer: Rescorer) -> None:
    scores = spelt("ONE SIX", -200.0)[:-15]
    found, _ = rescorer.listed(scores)
    assert np.bincount(found.owners)[0] == len(found.words[0]) == 2
    (answer,) = rescorer.answers([scores], triple(2.0, 0.0, 0.5, 0, 1))
    assert answer["hypothesis"] == "ONE SIX"
    assert answer["words"][-1]["end"] == pytest.approx(len(scores) * 0.01)
