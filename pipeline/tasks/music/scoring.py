"""Negative log-likelihood of the notes, in nats a step.

A prediction of a piece is `{"id", "nll": [...]}`: for each step from the second on, the negative
natural log-probability of the 88 keys as they are, given all steps before. It is the sum over the
keys of a model that predicts them independently, and the sum over the chain rule's factors of one
that predicts them one after the other. The score is the mean over all predicted steps of all
pieces, not a mean of the pieces' means (Boulanger-Lewandowski et al. 2012; Bai et al. 2018).
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.item_clusters import clusters_of
from pipeline.scoring.likelihoods import checked_nats
from pipeline.scoring.scores import ItemStatistics, Metric, ratio
from pipeline.storage.predictions import Prediction, aligned
from pipeline.tasks.music.shared.items import Item, read_items

METRICS = {
    "nll": Metric(
        "lower", ("nll", "steps"), ratio,
        "negative log-likelihood of a step's 88 keys in nats, mean over the steps 2 to T of all "
        "pieces",
        signature="steps: 2 to T, pooled; keys: 88, joint; log: natural", decimals=3),
    "nll_changes": Metric(
        "lower", ("nll_changes", "steps_changes"), ratio,
        "the same over the steps at which other keys sound than before",
        signature="steps: those that differ from the step before; keys: 88, joint; log: natural",
        decimals=3),
}


def score(predictions: list[Prediction], test: Path) -> ItemStatistics:
    """Sums of each piece. Raises UserError when predictions and test items do not line up."""
    items = read_items(test)
    ids = [item.id for item in items]
    answers = aligned(predictions, ids)
    losses = [nats(answer, item) for answer, item in zip(answers, items, strict=True)]
    rows = [(values.sum(), item.predicted, values[item.changes].sum(), len(item.changes))
            for values, item in zip(losses, items, strict=True)]
    table = np.array(rows, np.float64).reshape(len(rows), 4)
    names = ("nll", "steps", "nll_changes", "steps_changes")
    return ItemStatistics(ids, dict(zip(names, table.T, strict=True)), clusters_of(test, ids))


def nats(prediction: Prediction, item: Item) -> NDArray[np.float64]:
    """The checked values of one piece, shape [item.predicted]. Raises UserError."""
    return checked_nats(prediction, item.predicted, "one a step from the second on")
