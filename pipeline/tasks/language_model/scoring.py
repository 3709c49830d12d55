"""Scores of word language models: perplexity, over all tokens and at long dependencies.

A prediction of a sentence is `{"id", "nll": [...]}`: the negative natural log-probability of each
of its tokens, the end of the sentence included.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.predictions import Prediction, aligned
from pipeline.scores import ItemStatistics, Metric, perplexity
from pipeline.tasks.language_model.shared.items import Item, read_items

METRICS = {
    "perplexity": Metric(
        "lower", ("nll", "tokens"), perplexity,
        "exp of the mean negative log-probability of a token, sentence ends predicted",
        signature="tokens: words, <unk> and <eos>; log: natural"),
    "perplexity_long": Metric(
        "lower", ("nll_long", "tokens_long"), perplexity,
        "perplexity of the words that depend on something more than four words back",
        signature="tokens: marked words; log: natural"),
}


def score(predictions: list[Prediction], test: Path) -> ItemStatistics:
    """Sums of each test sentence.

    Raises UserError when predictions and test sentences do not line up, or a value is no negative
    log-probability.
    """
    items = read_items(test)
    answers = aligned(predictions, [item.id for item in items])
    rows = [_sums(nats(answer, item), item) for answer, item in zip(answers, items, strict=True)]
    names = [name for metric in METRICS.values() for name in metric.columns]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
    return ItemStatistics([item.id for item in items],
                          {name: table[:, column] for column, name in enumerate(names)})


def nats(prediction: Prediction, item: Item) -> NDArray[np.float64]:
    """The checked values of one sentence, shape [item.length]. Raises UserError."""
    try:
        losses = np.array(prediction["nll"], dtype=np.float64)
    except (KeyError, TypeError, ValueError):
        raise UserError(f"prediction {item.id!r} has no list of numbers 'nll'; evaluate the "
                        "system again") from None
    if losses.shape != (item.length,):
        raise UserError(f"prediction {item.id!r}: expected {item.length} values of 'nll' (its "
                        f"words and the end), got shape {losses.shape}; evaluate the system again "
                        "on this corpus")
    if not (np.all(np.isfinite(losses)) and np.all(losses >= 0)):
        raise UserError(f"prediction {item.id!r}: 'nll' holds a value that is no finite negative "
                        "log-probability; evaluate the system again")
    return losses


def _sums(losses: NDArray[np.float64], item: Item) -> tuple[float, float, float, float]:
    """In the order of the metrics' columns."""
    return losses.sum(), len(losses), losses[item.marked].sum(), len(item.marked)
