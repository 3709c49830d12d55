"""Accuracy of sentence classifiers, over all items and over the groups that a corpus names.

A prediction is `{"id", "probabilities": {label: probability}}`; its answer is the most probable
label, the first in code-point order among equals.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipeline.errors import UserError
from pipeline.scoring.facets import Facet
from pipeline.scoring.item_clusters import clusters_of
from pipeline.scoring.scores import ItemStatistics, Metric, percentage
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction, aligned, answer_of

Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
NEGATIVE, NEUTRAL, POSITIVE = ("0", "1"), "2", ("3", "4")
_SENTIMENTS = {*NEGATIVE, NEUTRAL, *POSITIVE}
_TEXTS = {
    "": "share of the items whose most probable label is the right one, in percent",
    "one": "accuracy of the questions with one supporting fact",
    "two": "accuracy of the questions with two supporting facts",
    "three": "accuracy of the questions with three supporting facts",
    "simple": "accuracy of the sentences without negation, denial and contrast",
    "composed": "accuracy of the sentences with a negation, a denial or a contrast",
    "binary": "accuracy of negative against positive; sentences whose label is neutral left out",
}


def _columns(part: str) -> tuple[str, str]:
    ending = f"_{part}" if part else ""
    return f"correct{ending}", f"items{ending}"


METRICS = {"_".join(filter(None, ["accuracy", part])):
           Metric("higher", _columns(part), percentage, text) for part, text in _TEXTS.items()}
FACETS = {
    "words": Facet("length of the sentence", "words", "words", "accuracy",
                   (1, 6, 11, 16, 21, 26, 31)),
    "facts": Facet("facts before the question", "facts", "facts", "accuracy",
                   (1, 3, 5, 7, 9, 13, 21, 41)),
}


def score(predictions: list[Prediction], test: Path) -> ItemStatistics:
    """Counts of each test item. Raises UserError when predictions do not fit the test items."""
    items = read_json(test / "items.json")
    ids = [item["id"] for item in items]
    found = aligned(predictions, ids)
    columns = {name: np.zeros(len(items)) for part in _TEXTS for name in _columns(part)}
    columns |= _facets(items)
    labels = set(read_json(test / "labels.json"))
    for row, (prediction, item) in enumerate(zip(found, items, strict=True)):
        given = probabilities(prediction)
        if given.keys() != labels:
            raise UserError(f"prediction {item['id']!r}: expected probabilities of the labels "
                            f"{', '.join(sorted(labels))}, got {', '.join(given)}; evaluate the "
                            "system again on this corpus")
        for part, correct in _judged(given, item):
            counted, of = _columns(part)
            columns[counted][row], columns[of][row] = correct, 1
    return ItemStatistics(ids, columns, clusters_of(test, ids))


def _facets(items: list[dict[str, Any]]) -> dict[str, NDArray[np.float64]]:
    """Of questions the facts before them, of other sentences their words."""
    facts = [item["facts"] for item in items]
    if None not in facts:
        return {"facts": np.array(facts, np.float64)}
    return {"words": np.array([len(item["text"].split(" ")) for item in items], np.float64)}


def probabilities(prediction: Prediction) -> dict[str, float]:
    """The checked probabilities of a prediction, labels in code-point order. Raises UserError."""
    found = answer_of(prediction, "probabilities", dict[str, Probability])
    if not found:
        raise UserError(f"prediction {prediction['id']!r} has no 'probabilities' of labels; "
                        "evaluate the system again")
    return dict(sorted(found.items()))


def answer(found: dict[str, float]) -> str:
    return max(found, key=lambda label: found[label])


def _judged(found: dict[str, float], item: dict[str, Any]) -> list[tuple[str, bool]]:
    """The parts of the test set that an item belongs to, each with whether it is right there."""
    correct = answer(found) == item["label"]
    judged = [("", correct)]
    if item["group"] in _TEXTS:
        judged.append((item["group"], correct))
    if set(found) == _SENTIMENTS and item["label"] != NEUTRAL:
        positive = sum(found[label] for label in POSITIVE)
        negative = sum(found[label] for label in NEGATIVE)
        judged.append(("binary", (positive > negative) == (item["label"] in POSITIVE)))
    return judged


@dataclass(frozen=True)
class ClassScore:
    """How one label fares: precision, recall and F1 in percent (NaN: never answered or absent)."""

    label: str
    precision: float
    recall: float
    f1: float
    items: int


def by_class(predictions: list[Prediction], test: Path) -> list[ClassScore]:
    """Scores of each label that is the right one of an item or an answer, in code-point order."""
    labels, table = confusion(predictions, test)
    hits, answered, present = np.diag(table), table.sum(axis=0), table.sum(axis=1)
    with np.errstate(invalid="ignore"):
        scores = np.stack([hits / answered, hits / present, 2 * hits / (answered + present)])
    return [ClassScore(label, precision, recall, f1, items)
            for label, (precision, recall, f1), items in zip(
                labels, (100 * scores.T).tolist(), present.tolist(), strict=True)]


def confusion(predictions: list[Prediction], test: Path) -> tuple[list[str], np.ndarray]:
    """Labels, and how many items with the label of a row were given the label of a column."""
    items = read_json(test / "items.json")
    found = aligned(predictions, [item["id"] for item in items])
    pairs = [(item["label"], answer(probabilities(prediction)))
             for item, prediction in zip(items, found, strict=True)]
    labels = sorted({label for pair in pairs for label in pair})
    table = np.zeros((len(labels), len(labels)), np.int64)
    for label, given in pairs:
        table[labels.index(label), labels.index(given)] += 1
    return labels, table
