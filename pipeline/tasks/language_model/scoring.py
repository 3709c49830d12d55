"""Scores of language models, over all units and at long dependencies.

A prediction of a sentence or line is `{"id", "nll": [...]}`: the negative natural log-probability
of each of its units, its end included. Words are scored by perplexity and characters by bits, from
the same sums.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.facets import Facet
from pipeline.scoring.item_clusters import clusters_of
from pipeline.scoring.likelihoods import checked_nats
from pipeline.scoring.scores import ItemStatistics, Metric, perplexity, ratio
from pipeline.storage.predictions import Prediction, aligned
from pipeline.tasks.language_model.shared.items import Item, read_items, read_unit


def bits(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Total negative log-likelihood in nats / units, in bits."""
    return ratio(sums) / np.log(2)


METRICS = {
    "perplexity": Metric(
        "lower", ("nll", "tokens"), perplexity,
        "exp of the mean negative log-probability of a token, sentence ends predicted",
        signature="tokens: words, <unk> and <eos>; log: natural"),
    "perplexity_long": Metric(
        "lower", ("nll_long", "tokens_long"), perplexity,
        "perplexity of the words that depend on something more than four words back",
        signature="tokens: marked words; log: natural"),
    "bits_per_character": Metric(
        "lower", ("nll_characters", "characters"), bits,
        "mean negative log-probability of a character, newlines predicted",
        signature="characters: all of the text, spaces and newlines included, but no space that "
                  "begins a line of the Penn Treebank; log: base 2",
        decimals=4),
    "bits_per_character_long": Metric(
        "lower", ("nll_characters_long", "characters_long"), bits,
        "bits a character of the words that depend on something more than four words back",
        signature="characters: those of marked words; log: base 2", decimals=4),
}
FACETS = {
    "words": Facet("length of the sentence, its end counted", "words", "tokens", "perplexity",
                   (1, 6, 11, 16, 21, 31, 41)),
    "characters": Facet("length of the line, its newline counted", "characters", "characters",
                        "bits_per_character", (1, 21, 41, 61, 101, 151, 201)),
}
_COLUMNS = {"word": ("nll", "tokens", "nll_long", "tokens_long"),
            "character": ("nll_characters", "characters", "nll_characters_long",
                          "characters_long")}


def score(predictions: list[Prediction], test: Path) -> ItemStatistics:
    """Sums of each test item; those of the other unit are 0.

    Raises UserError when predictions and test items do not line up, or a value is no negative
    log-probability.
    """
    items = read_items(test)
    ids = [item.id for item in items]
    answers = aligned(predictions, ids)
    rows = [_sums(nats(answer, item), item) for answer, item in zip(answers, items, strict=True)]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 4)
    columns = {name: np.zeros(len(items)) for names in _COLUMNS.values() for name in names}
    columns |= {name: table[:, place] for place, name in enumerate(_COLUMNS[read_unit(test)])}
    return ItemStatistics(ids, columns, clusters_of(test, ids))


def nats(prediction: Prediction, item: Item) -> NDArray[np.float64]:
    """The checked values of one item, shape [item.length]. Raises UserError."""
    return checked_nats(prediction, item.length, "its units and the end")


def _sums(losses: NDArray[np.float64], item: Item) -> tuple[float, float, float, float]:
    """In the order of `_COLUMNS`."""
    return losses.sum(), len(losses), losses[item.marked].sum(), len(item.marked)
