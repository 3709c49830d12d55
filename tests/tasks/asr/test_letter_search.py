"""Weights are those with the fewest errors, and answers have the best strings, against all strings.
"""

import math
from pathlib import Path

import jiwer
import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from pipeline.errors import UserError
from pipeline.storage.files import write_json
from pipeline.storage.words import words_in
from pipeline.tasks.asr.shared.language_model import WeightedModel, totals
from pipeline.tasks.asr.shared.letter_search import (
    LetterVocabulary,
    Searched,
    Variant,
)
from tests.nn.test_ctc import emissions_of, string_probabilities
from tests.tasks.asr.weighed import pair

SYMBOLS = [" ", "A", "B"]
TRANSCRIPTS = ["A B", "AB A", "A A", "AB"]
WORDS = ["A", "AB", "B"]
GRID = {"beam": 10_000, "least_posterior": 0.0, "alphas": [0.0, 0.7, 2.0],
        "betas": [-3.0, 0.0, 1.0], "alternatives": 4}
VARIANTS = [{"search": "beam", "language_model": "characters", "order": 3, **GRID},
            {"search": "beam", "language_model": "words", "order": 2, **GRID},
            {"search": "lexicon", "language_model": "bigram", **GRID}]


def checked(variant: dict) -> Searched:
    found: Searched = TypeAdapter(Variant).validate_python(variant)
    return found


def text_of(string: tuple[int, ...]) -> str:
    return " ".join(words_in("".join(SYMBOLS[symbol - 1] for symbol in string)))


def best_text(strings: dict[tuple[int, ...], float], model: WeightedModel) -> str:
    """Of all strings with their probabilities."""
    return text_of(max(strings, key=lambda string: math.log(strings[string])
                       + float(totals(model, [string])[0])))


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant["language_model"])
def test_each_pair_makes_the_errors_of_its_best_string(variant: dict) -> None:
    vocabulary = LetterVocabulary(TRANSCRIPTS, WORDS)
    search = vocabulary.search(checked(variant), SYMBOLS)
    utterances = [emissions_of(4, 4, seed) for seed in range(20, 26)]
    references = ["A B", "AB", "B A", "A", "AB A", "B"]
    found = search.tried(utterances, references)
    wanted = []
    for alpha in variant["alphas"]:
        for beta in variant["betas"]:
            model = search.model.weighted(alpha, beta)
            best = [best_text(strings, model) for strings in map(string_probabilities, utterances)]
            counted = jiwer.process_words(references, best)
            wanted.append(pair(alpha, beta, counted.substitutions + counted.deletions
                               + counted.insertions, 9))
    assert found == wanted
    assert len({one.errors for one in found}) > 2


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant["language_model"])
def test_alternatives_are_the_best_texts_each_once(variant: dict) -> None:
    search = LetterVocabulary(TRANSCRIPTS, WORDS).search(checked(variant), SYMBOLS)
    model = search.model.weighted(0.7, 0.4)
    emissions = emissions_of(5, 4, seed=3)
    scores: dict[str, float] = {}
    for string, probability in string_probabilities(emissions).items():
        score = math.log(probability) + float(totals(model, [string])[0])
        scores[text_of(string)] = max(score, scores.get(text_of(string), -math.inf))
    wanted = sorted(scores, key=lambda text: -scores[text])[:4]
    (answer,) = search.answers([emissions], model)
    assert answer["hypothesis"] == wanted[0]
    assert [other["text"] for other in answer["alternatives"]] == wanted
    assert [other["score"] for other in answer["alternatives"]] == pytest.approx(
        [scores[text] for text in wanted], abs=6e-4)


def test_where_no_word_can_be_ended_the_answer_is_empty_and_counts_as_deletions() -> None:
    variant = checked({**VARIANTS[2], "beam": 1})
    search = LetterVocabulary(["AB"], ["AB"]).search(variant, SYMBOLS)
    heard = np.log([[0.01, 0.01, 0.97, 0.01]])
    assert list(search.answers([heard], search.model)) == [{"hypothesis": "", "alternatives": []}]
    assert {one.errors for one in search.tried([heard], ["A B"])} == {2}


def test_the_chosen_pair_comes_back_with_what_was_saved() -> None:
    vocabulary = LetterVocabulary(TRANSCRIPTS, WORDS, {"beam": [
        pair(0.0, 1.0, 3, 9), pair(0.7, 1.0, 2, 9), pair(0.7, 2.0, 4, 9)]})
    restored = LetterVocabulary.restored(vocabulary.texts())
    assert restored == vocabulary
    assert restored.weights("beam") == (0.7, 1.0)
    with pytest.raises(KeyError):
        restored.weights("other")


def test_a_dictionary_is_read_where_a_variant_needs_one(tmp_path: Path) -> None:
    write_json(tmp_path / "train.items.json", [{"text": text} for text in TRANSCRIPTS])
    spec = {"front_end": {"hop_ms": 10.0}}
    letters, words = ({"one": checked(variant)} for variant in VARIANTS[1:])
    assert LetterVocabulary.of(tmp_path, spec, letters) == LetterVocabulary(TRANSCRIPTS, [])
    with pytest.raises(UserError, match=r"has no dictionary.*features\.dictionary"):
        LetterVocabulary.of(tmp_path, spec, words)
    write_json(tmp_path / "lexicon.json", {word: [["AH"]] for word in reversed(WORDS)})
    assert LetterVocabulary.of(tmp_path, spec, words) == LetterVocabulary(TRANSCRIPTS, WORDS)


@pytest.mark.parametrize("change", [{"alphas": []}, {"betas": []}, {"alphas": [-0.1]},
                                    {"alternatives": 0}, {"alpha": 1.0}])
def test_grids_that_make_no_sense_are_refused(change: dict) -> None:
    with pytest.raises(ValidationError):
        checked({**VARIANTS[0], **change})
