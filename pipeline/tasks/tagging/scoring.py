"""Scores of taggers: the share of words, of unknown words and of whole sentences tagged right.

A word is unknown when the training text does not have it in that spelling. A sentence is right
when all its tags are, which is what a reader of the next stage (a parser, say) meets.
"""

from pathlib import Path

import numpy as np

from pipeline.errors import UserError
from pipeline.scoring.facets import Facet
from pipeline.scoring.item_clusters import clusters_of
from pipeline.scoring.scores import ItemStatistics, Metric, percentage
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction, aligned, answer_of

METRICS: dict[str, Metric] = {
    "accuracy": Metric("higher", ("correct", "words"), percentage,
                       "words tagged right, %"),
    "accuracy_unknown": Metric("higher", ("correct_unknown", "unknown"), percentage,
                               "words tagged right among those that training never saw, %"),
    "sentence_accuracy": Metric("higher", ("correct_sentences", "sentences"), percentage,
                                "sentences without an error, %", decimals=1),
}
FACETS = {"words": Facet("length of the sentence", "words", "words", "accuracy",
                         (1, 6, 11, 16, 21, 31, 41))}


def score(predictions: list[Prediction], test: Path) -> ItemStatistics:
    """Statistics of each test sentence; `test` is the features' folder.

    A sentence without words counts in nothing. Raises UserError for a prediction that has not one
    of the track's tags a word.
    """
    items = read_json(test / "items.json")
    ids = [item["id"] for item in items]
    known = set(read_json(test / "tags.json"))
    rows = []
    for item, prediction in zip(items, aligned(predictions, ids), strict=True):
        found, expected = answer_of(prediction, "tags", list[str]), item["tags"]
        if len(found) != len(expected):
            raise UserError(f"prediction {item['id']!r}: expected {len(expected)} tags, got "
                            f"{len(found)}; evaluate the system again on this corpus")
        if not known.issuperset(found):
            raise UserError(f"prediction {item['id']!r}: {min(set(found) - known)!r} is no tag of "
                            "this track; evaluate the system again on this corpus")
        right = np.array([a == b for a, b in zip(found, expected, strict=True)], bool)
        unknown = ~np.array(item["known"], bool)
        rows.append([right.sum(), len(right), (right & unknown).sum(), unknown.sum(),
                     len(right) > 0 and right.all(), len(right) > 0])
    names = [name for metric in METRICS.values() for name in metric.columns]
    return ItemStatistics(ids, dict(zip(names, np.array(rows, np.float64).T, strict=True)),
                          clusters_of(test, ids))
