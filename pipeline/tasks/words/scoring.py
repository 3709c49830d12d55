"""Accuracy of who names the word or the phone of a recording, and how sure they were of it.

A prediction is `{"id", "label", "probabilities": {label: probability}}`, where no label is more
probable than the answer. Accuracy counts answers alone; the log-loss sees whether a system knows
when it guesses: its answers are bought by the nats that they cost where they are wrong.
"""

import math
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipeline.errors import UserError
from pipeline.scoring.item_clusters import clusters_of
from pipeline.scoring.scores import ItemStatistics, Metric, percentage, ratio
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction, aligned, answer_of

Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
LEAST = 1e-6  # a probability, the last decimal that predictions keep
_SUM_WITHIN = 1e-3

METRICS = {
    "accuracy": Metric("higher", ("correct", "items"), percentage,
                       "share of the items that were given the right label, in percent"),
    "log_loss": Metric("lower", ("nats", "items"), ratio,
                       "mean of -ln of the right label's probability, in nats; one below "
                       f"{LEAST:g} counts as {LEAST:g}", decimals=3),
}


def score(predictions: list[Prediction], test: Path) -> ItemStatistics:
    """Statistics of each test item. Raises UserError when predictions do not fit the items."""
    gold, labels = read_json(test / "gold.json"), read_json(test / "labels.json")
    ids = [item["id"] for item in read_json(test / "test.items.json")]
    columns = {name: np.zeros(len(ids)) for name in ("correct", "nats")}
    for row, prediction in enumerate(aligned(predictions, ids)):
        label, probabilities = answered(prediction)
        if probabilities.keys() != set(labels):
            raise UserError(f"prediction {ids[row]!r}: expected probabilities of the labels "
                            f"{', '.join(labels)}, got {', '.join(probabilities)}; evaluate the "
                            "system again on this corpus")
        columns["correct"][row] = label == gold[ids[row]]
        columns["nats"][row] = -math.log(max(probabilities[gold[ids[row]]], LEAST))
    return ItemStatistics(ids, columns | {"items": np.ones(len(ids))}, clusters_of(test, ids))


def answered(prediction: Prediction) -> tuple[str, dict[str, float]]:
    """The checked answer of a prediction and all its probabilities. Raises UserError."""
    label = answer_of(prediction, "label", str)
    found = answer_of(prediction, "probabilities", dict[str, Probability])
    problem = ""
    if abs(sum(found.values()) - 1) > _SUM_WITHIN:
        problem = f"probabilities whose sum is {sum(found.values()):.6g}, not 1"
    elif label not in found or found[label] < max(found.values()):
        problem = f"the label {label!r}, which is not the most probable one"
    if problem:
        raise UserError(f"prediction {prediction['id']!r} has {problem}; evaluate the system again")
    return label, found


def details(statistics: ItemStatistics) -> dict[str, Any]:
    """Not ranked: the accuracy of each speaker's items, in percent."""
    speakers = np.array(statistics.groups)
    correct = statistics.columns["correct"]
    return {"accuracy_by_speaker": {
        speaker: 100 * float(correct[speakers == speaker].mean())
        for speaker in sorted({*statistics.groups})}}


def confusion(predictions: list[Prediction], test: Path) -> tuple[list[str], NDArray[np.int64]]:
    """The track's labels, and how many items of the label of a row were given that of a column."""
    gold, labels = read_json(test / "gold.json"), read_json(test / "labels.json")
    table = np.zeros((len(labels), len(labels)), np.int64)
    for prediction in aligned(predictions, list(gold)):
        label, _ = answered(prediction)
        table[labels.index(gold[prediction["id"]]), labels.index(label)] += 1
    return labels, table
