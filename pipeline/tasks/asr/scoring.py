"""Scores of transcripts: word and character error rate, as jiwer counts errors.

WER is all errors over all reference words, never a mean over utterances; errors are the
substitutions, deletions and insertions of the alignment with the fewest of them. It exceeds 100 %
when much is inserted. An utterance outside a metric's condition has zeros in its columns.
"""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
from typing_extensions import TypedDict

from pipeline.decoding.oracle import fewest_errors
from pipeline.scoring.facets import Facet
from pipeline.scoring.item_clusters import clusters_of
from pipeline.scoring.scores import ItemStatistics, Metric, percentage
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction, aligned, answer_of
from pipeline.storage.words import words_in

_SIGNATURE = f"jiwer {version('jiwer')}, words split at white space, letter case kept"
# Without these jiwer takes more for the space between two words than readers do, and so may find
# a transcript empty.
_WORDS = jiwer.Compose([jiwer.ReduceToListOfListOfWords()])
_CHARACTERS = jiwer.Compose([jiwer.ReduceToListOfListOfChars()])


class Alternative(TypedDict):
    """What is read of another hypothesis of an answer."""

    text: str


def _share(column: str, of: str, text: str) -> Metric:
    return Metric("lower", (column, of), percentage, text, _SIGNATURE)


METRICS: dict[str, Metric] = {
    "wer": _share("errors", "words", "word error rate in percent, condition 'clean'"),
    "cer": _share("character_errors", "characters",
                  "character error rate in percent, spaces counted, condition 'clean'"),
    "wer_other": _share("errors_other", "words_other",
                        "word error rate in percent, condition 'other'"),
    "noise_cost": _share("added_errors", "words_other",
                         "word errors that condition 'other' adds to 'clean', in percent of its "
                         "words; both have the same sentences of the same speakers"),
    "substitutions": _share("substitutions", "words",
                            "substituted words in percent of the reference's words"),
    "deletions": _share("deletions", "words", "deleted words in percent of the reference's words"),
    "insertions": _share("insertions", "words",
                         "inserted words in percent of the reference's words"),
}
# No dictionary at all, a grammar over all words and a bigram are different help.
DIVISION = "language_model"
FACETS = {"words": Facet("length of the reference", "words", "reference_words", "wer",
                         (1, 3, 5, 7, 9, 13, 21, 31))}


def score(predictions: list[Prediction], test: Path) -> ItemStatistics:
    """Error counts of each test item; `test` is the features' folder."""
    items = read_json(test / "test.items.json")
    ids = [item["id"] for item in items]
    counts = [_counts(item["reference"], answer_of(prediction, "hypothesis", str))
              | {"best_errors": _best_errors(item["reference"], prediction)}
              for item, prediction in zip(items, aligned(predictions, ids), strict=True)]
    clean = np.array([item["condition"] == "clean" for item in items], dtype=np.float64)
    everywhere = {name: np.array([count[name] for count in counts], dtype=np.float64)
                  for name in counts[0]}
    columns = {name: column * clean for name, column in everywhere.items()}
    columns |= {f"{name}_other": everywhere[name] * (1 - clean)
                for name in ("errors", "words", "best_errors")}
    columns["added_errors"] = columns["errors_other"] - columns["errors"]
    columns["reference_words"] = everywhere["words"]
    return ItemStatistics(ids, columns, clusters_of(test, ids))


def details(statistics: ItemStatistics) -> dict[str, Any]:
    """Not ranked: what the errors would be if of every answer's hypotheses the best were known.

    `oracle_wer` by condition, in percent of words, for systems that give other hypotheses.
    """
    found = {}
    for name, suffix in (("clean", ""), ("other", "_other")):
        best, errors, words = (float(statistics.columns[f"{column}{suffix}"].sum())
                               for column in ("best_errors", "errors", "words"))
        if words and best < errors:
            found[name] = 100 * best / words
    return {"oracle_wer": found} if found else {}


def aligned_words(reference: str, hypothesis: str) -> jiwer.WordOutput:
    """jiwer's alignment of the words of two texts, one of those with the fewest errors."""
    return jiwer.process_words(_spaced(reference), _spaced(hypothesis), _WORDS, _WORDS)


def _best_errors(reference: str, prediction: Prediction) -> int:
    """Word errors of the best hypothesis, the answer itself and its alternatives."""
    others = (answer_of(prediction, "alternatives", list[Alternative])
              if "alternatives" in prediction else [])
    texts = [prediction["hypothesis"], *(other["text"] for other in others)]
    return fewest_errors(words_in(reference), [words_in(text) for text in texts])[-1]


def _spaced(text: str) -> str:
    return " ".join(words_in(text))


def _counts(reference: str, hypothesis: str) -> dict[str, int]:
    words = aligned_words(reference, hypothesis)
    characters = jiwer.process_characters(_spaced(reference), _spaced(hypothesis), _CHARACTERS,
                                          _CHARACTERS)
    return {
        "errors": words.substitutions + words.deletions + words.insertions,
        "words": words.hits + words.substitutions + words.deletions,
        "substitutions": words.substitutions,
        "deletions": words.deletions,
        "insertions": words.insertions,
        "character_errors":
            characters.substitutions + characters.deletions + characters.insertions,
        "characters": characters.hits + characters.substitutions + characters.deletions,
    }
