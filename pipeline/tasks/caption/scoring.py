"""Scores of sentences about pictures: BLEU as sacreBLEU computes it, and the truth.

A prediction is `{"id", "sentence"}`. BLEU of a sentence against five references says whether it
resembles what people say; it hardly sees a wrong colour, or left for right. Where a grammar made
the references, it can also say whether a sentence is true of the picture: every thing that it
names is there, with its colour, size and place.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.corpora.twins.grammar.scenes import Thing, is_true
from pipeline.scoring.facets import Facet
from pipeline.scoring.item_clusters import clusters_of
from pipeline.scoring.scores import ItemStatistics, Metric, percentage, ratio
from pipeline.storage.cut_answers import is_cut
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction, aligned, answer_of
from pipeline.storage.words import words_in
from pipeline.tasks.caption.shared.measures import (
    COLUMNS,
    ORDER,
    REFERENCES,
    bleu,
    bleu_statistics,
    signature,
)

_TRUTH_COLUMNS = ("true", "judged", "grammatical")

METRICS: dict[str, Metric] = {
    **{f"bleu_{order}": Metric(
        "higher", COLUMNS, partial(bleu, order=order),
        f"BLEU of n-grams up to {order} against {REFERENCES} references, 0 to 100",
        signature(order)) for order in range(ORDER, 0, -1)},
    "truth": Metric("higher", _TRUTH_COLUMNS[:2], percentage,
                    "% of the sentences that the grammar can read and that are true of the "
                    "picture"),
}
FACETS = {"reference_words": Facet("mean length of a picture's references", "words",
                                   "reference_words", "bleu_4", (1, 8, 10, 12, 14, 16, 18))}


def score(predictions: list[Prediction], test: Path) -> ItemStatistics:
    """Statistics of each test picture. Raises UserError when predictions do not fit them."""
    items = read_json(test / "items.json")
    ids = [item["id"] for item in items]
    answers = aligned(predictions, ids)
    rows = [_statistics(prediction, item)
            for prediction, item in zip(answers, items, strict=True)]
    table = np.array(rows, dtype=np.float64).T
    columns = dict(zip((*COLUMNS, *_TRUTH_COLUMNS), table, strict=True))
    columns["reference_words"] = np.array([
        np.mean([len(words_in(text)) for text in item["references"]]) for item in items])
    columns["cut"] = np.array([is_cut(prediction) for prediction in answers], np.float64)
    return ItemStatistics(ids, columns, clusters_of(test, ids))


def details(statistics: ItemStatistics) -> dict[str, Any]:
    """The share of sentences that the grammar, if there is one, can read, true or not.

    And how many sentences the search had to cut, if any.
    """
    judged, grammatical = statistics.table(_TRUTH_COLUMNS[1:]).sum(axis=0)
    cut = int(statistics.columns["cut"].sum())
    return {**({"grammatical": float(ratio(np.array([grammatical, judged])))} if judged else {}),
            **({"cut_at_the_longest": cut} if cut else {})}


def _statistics(prediction: Prediction, item: dict[str, Any]) -> list[int]:
    sentence = answer_of(prediction, "sentence", str)
    counts = bleu_statistics(sentence, item["references"])
    if item["scene"] is None:
        return [*counts, 0, 0, 0]
    verdict = is_true(tuple(Thing(*thing) for thing in item["scene"]), sentence)
    return [*counts, int(verdict is True), 1, int(verdict is not None)]
