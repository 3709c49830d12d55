"""Scores that spell out words become words, and grids of weights what searches anew would say."""

from collections.abc import Sequence
from itertools import pairwise

import jiwer
import numpy as np
import pytest

from pipeline.decoding.network import Weights
from pipeline.tasks.asr.shared.recogniser import Decoding, Recogniser, middle
from pipeline.tasks.asr.shared.vocabulary import Vocabulary
from tests.tasks.asr.spoken import LEXICON, SPEC, TIED, chain
from tests.tasks.asr.weighed import pair

DECODING = Decoding(beam=300.0, most=10_000, lattice_beam=30.0, language_weights=[0.5, 1.0, 3.0],
                    word_scores=[-2.0, 0.0], alternatives=4)
STATES = len(TIED.stay)
EACH = 2  # frames of a state


def recogniser(**decoding: object) -> Recogniser:
    vocabulary = Vocabulary(dict(LEXICON), ["ONE TWO", "TEN"], 0.01)
    return vocabulary.recogniser("uniform", TIED, DECODING.model_copy(update=decoding),
                                 Weights())


def spelt(text: str, wrong: float = -20.0) -> np.ndarray:
    """Scores of frames that are in the states of a text for sure, [T, states]."""
    path = np.repeat(chain(text), EACH)
    scores = np.full((len(path), STATES), wrong)
    scores[np.arange(len(path)), path] = 0.0
    return scores


def test_answers_have_words_with_their_times_and_confidences() -> None:
    (answer,) = recogniser().answers([spelt("TEN SIX NO")])
    assert answer["hypothesis"] == "TEN SIX NO"
    assert [word["word"] for word in answer["words"]] == ["TEN", "SIX", "NO"]
    # Six frames of silence; three, four and two phones of six frames each.
    begins, frame = np.cumsum([6, 18, 24, 12]), 0.01
    assert [word["begin"] for word in answer["words"]] == pytest.approx(begins[:3] * frame)
    assert [word["end"] for word in answer["words"]] == pytest.approx(begins[1:] * frame)
    assert [word["confidence"] for word in answer["words"]] == pytest.approx([1, 1, 1], abs=0.01)


def test_times_are_in_seconds_whatever_a_frame_lasts() -> None:
    spec = {**SPEC, "front_end": {"kind": "log-mel", "hop_ms": 12.5}}
    texts = {"pronunciations": LEXICON, "transcripts": [], "tried": {}}
    found = Vocabulary.restored(texts, spec).recogniser("uniform", TIED, DECODING, Weights())
    (answer,) = found.answers([spelt("NO")])
    assert (answer["words"][0]["begin"], answer["words"][0]["end"]) == (0.075, 0.225)


def test_alternatives_are_sorted_different_and_begin_with_the_hypothesis() -> None:
    # Half of what was said for TEN sounds like TWO, and a little more.
    scores = np.maximum(spelt("ONE TEN", -3.0), -3.0)
    scores[30:, :] = np.random.default_rng(2).normal(-1.5, 1.0, scores[30:].shape)
    (answer,) = recogniser().answers([scores])
    texts = [other["text"] for other in answer["alternatives"]]
    values = [other["score"] for other in answer["alternatives"]]
    assert texts[0] == answer["hypothesis"]
    assert len(set(texts)) == len(texts) == 4
    assert all(better >= worse for better, worse in pairwise(values)) and values[0] > values[-1]


def test_a_word_that_could_be_another_is_less_sure() -> None:
    scores = spelt("NO TEN")
    other = spelt("NO TWO")
    both = scores.copy()
    # The vowels of TEN and TWO are equally good in the last word's second phone and behind it.
    both[24 : len(other) - 6] = np.maximum(both[24 : len(other) - 6], other[24 : len(other) - 6])
    both[24:, :] = np.maximum(both[24:, :], -1.0)
    (sure,), (unsure,) = (recogniser().answers([one]) for one in (scores, both))
    assert sure["hypothesis"] == unsure["hypothesis"] == "NO TEN"
    assert unsure["words"][1]["confidence"] < sure["words"][1]["confidence"]
    assert 0 < unsure["words"][1]["confidence"] < 0.99


def test_best_is_what_answers_say_and_no_utterance_depends_on_another() -> None:
    utterances = [spelt("NO"), spelt("TEN TEN SIX"), spelt(""), spelt("ONE TWO")]
    found = recogniser()
    together = found.best(utterances)
    assert together == ["NO", "TEN TEN SIX", "", "ONE TWO"]
    assert together == [answer["hypothesis"] for answer in found.answers(utterances)]
    assert together == [found.best([scores])[0] for scores in utterances]


def errors_of(references: Sequence[str], hypotheses: Sequence[str]) -> int:
    found = jiwer.process_words(list(references), list(hypotheses))
    return found.substitutions + found.deletions + found.insertions


def test_tried_is_what_a_search_with_each_pair_of_weights_says() -> None:
    lexicon = {"A": [["AA"]], "B": [["B"]], "AB": [["AA", "B"]]}
    vocabulary = Vocabulary(dict(lexicon), ["A B", "AB AB", "A A B", "B"], 0.01)
    wide = Decoding(beam=1e6, most=1_000_000, lattice_beam=1e6, language_weights=[0.1, 1.0, 6.0],
                    word_scores=[-6.0, 0.0, 6.0], alternatives=1)
    random = np.random.default_rng(4)
    utterances = [random.normal(0, 3, (length, STATES)) for length in (6, 9, 11, 12)]
    references = ["A B", "AB", "B", "A A B"]
    first = vocabulary.recogniser("bigram", TIED, wide, middle(wide))
    assert middle(wide) == Weights(1.0, 1.0, 0.0)
    expected = []
    for language in wide.language_weights:
        for word in wide.word_scores:
            anew = vocabulary.recogniser("bigram", TIED, wide, Weights(1.0, language, word))
            expected.append(pair(language, word, errors_of(references, anew.best(utterances)), 7))
    assert first.tried(utterances, references) == expected
    assert len({one.errors for one in expected}) > 2


@pytest.mark.parametrize("lattice_beam", [1.0, 30.0])
@pytest.mark.parametrize("frames", [0, 1, 2, 3, 5])
def test_an_utterance_too_short_for_any_word_is_answered(frames: int, lattice_beam: float) -> None:
    """Nothing at all, less than silence needs, and less than the shortest word."""
    scores = spelt("NO")[:frames]
    found = recogniser(lattice_beam=lattice_beam)
    (answer,) = found.answers([scores])
    assert answer["hypothesis"] == ""
    assert answer["words"] == []
    assert answer["alternatives"][0]["text"] == ""
    assert found.best([scores]) == [""]
    assert {pair.errors for pair in found.tried([scores], ["NO"])} == {1}


def test_a_word_that_is_cut_off_is_still_a_word() -> None:
    scores = spelt("ONE TWO")[:-12]
    (answer,) = recogniser().answers([scores])
    assert answer["hypothesis"] == "ONE TWO"
    assert answer["words"][-1]["end"] == pytest.approx(len(scores) * 0.01)


def test_scores_without_any_word_are_silence() -> None:
    (answer,) = recogniser().answers([spelt("")])
    assert (answer["hypothesis"], answer["words"]) == ("", [])
