"""Scores of word vectors: classes recovered, analogies answered, agreement with people's ratings.

neighbours: of a probe's first 10 neighbours, or as many as its classes have further words, the
    share that share a class with it, in percent, averaged over probes. A word of several classes
    counts as right for each of them. 100 can be reached.
analogies: percent of questions answered with the right word, or with a word of its class, among
    the questions whose four words the vocabulary has.
wordsim353, simlex999: Spearman's rank correlation of cosines and people's ratings over the pairs
    whose two words the vocabulary has.
Coverages are the percentage of a list's items in this half or list that the vocabulary has.

Spearman's correlation is Pearson's of ranks. Ranks are given once, over all covered pairs (ties
share their mean rank), so the value is exact, and sums of ranks, squares and products are additive.
A bootstrap over them keeps the ranks of the whole list where it would rank each resample anew; the
intervals agree to the second decimal.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from pipeline.errors import UserError
from pipeline.scoring.item_clusters import clusters_of
from pipeline.scoring.scores import ItemStatistics, Metric, percentage
from pipeline.storage.predictions import Number, Prediction, aligned, answer_of
from pipeline.tasks.embeddings.shared.answers import NEIGHBOURS
from pipeline.tasks.embeddings.shared.items import Items

_MOMENTS = ("n", "x", "y", "xx", "yy", "xy")


def correlation(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson's correlation from sums of (1, x, y, xx, yy, xy), NaN where x or y is constant."""
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = (n * xx - x**2) * (n * yy - y**2)
        return np.where(squares > 1e-9, (n * xy - x * y) / np.sqrt(squares), np.nan)


def _rated(source: str, title: str) -> dict[str, Metric]:
    return {
        source: Metric("higher", tuple(f"{source}_{name}" for name in _MOMENTS), correlation,
                       f"Spearman's correlation with the ratings of {title}",
                       signature="cosine; pairs in the vocabulary, lower-cased", decimals=3),
        f"{source}_coverage": Metric(
            "higher", (f"{source}_n", f"{source}_pairs"), percentage,
            f"percent of the pairs of {title} that the vocabulary has", decimals=1),
    }


METRICS = {
    "neighbours": Metric(
        "higher", ("near", "probes"), percentage,
        f"percent of a word's {NEIGHBOURS} nearest words that are of one of its classes (of fewer, "
        "where its classes are smaller)", signature="cosine; vocabulary without <unk>"),
    "neighbours_rare": Metric("higher", ("near_rare", "probes_rare"), percentage,
                              "the same of words that the training text has seldom"),
    "analogies": Metric(
        "higher", ("solved", "questions"), percentage,
        "percent of analogy questions answered with the right word, or one of its class where "
        "classes are known", signature="3CosAdd; question words excluded; in the vocabulary"),
    "analogies_coverage": Metric("higher", ("questions", "listed"), percentage,
                                 "percent of the analogy questions that the vocabulary has",
                                 decimals=1),
    **_rated("wordsim353", "WordSim-353"),
    **_rated("simlex999", "SimLex-999"),
}


def score(predictions: list[Prediction], test: Path) -> ItemStatistics:
    """Statistics of every item of `test`: probes, analogies, pairs.

    Raises UserError when predictions and items do not line up, or an answer is none.
    """
    items = Items.read(test)
    answers = iter(aligned(predictions, items.ids))
    rows = [*(_probe(next(answers), word, items) for word in items.words),
            *(_analogy(next(answers), index, items) for index in range(len(items.analogies))),
            *_pairs(list(answers), items)]
    names = dict.fromkeys(name for metric in METRICS.values() for name in metric.columns)
    columns = {name: np.array([row.get(name, 0.0) for row in rows], np.float64) for name in names}
    return ItemStatistics(items.ids, columns, clusters_of(test, items.ids))


def _probe(found: Prediction, word: str, items: Items) -> dict[str, float]:
    near = answer_of(found, "neighbours", list[str])
    wanted = min(NEIGHBOURS, len(items.mates(word)))
    if len(set(near)) != len(near) or len(near) < wanted or word in near:
        raise UserError(f"prediction {found['id']!r}: expected {wanted} or more different "
                        "'neighbours' without the word itself; evaluate the system again")
    share = sum(items.alike(word, other) for other in near[:wanted]) / wanted
    row = {"near": share, "probes": 1.0}
    if word in items.rare:
        row |= {"near_rare": share, "probes_rare": 1.0}
    return row


def _analogy(found: Prediction, index: int, items: Items) -> dict[str, float]:
    item = items.analogies[index]
    if not items.has(item.a, item.b, item.c, item.d):
        return {"listed": 1.0}
    word = answer_of(found, "answer", str)
    if word in (item.a, item.b, item.c):
        raise UserError(f"prediction {found['id']!r}: expected an 'answer', a word that is not in "
                        "the question; evaluate the system again")
    return {"listed": 1.0, "questions": 1.0, "solved": float(items.alike(word, item.d))}


def _pairs(answers: list[Prediction], items: Items) -> Iterator[dict[str, float]]:
    """Rank statistics of the rated pairs, ranks centred so that sums stay small."""
    known = [items.has(*item.words) for item in items.pairs]
    ranks: dict[int, tuple[float, float]] = {}
    for source in dict.fromkeys(item.source for item in items.pairs):
        chosen = [index for index, item in enumerate(items.pairs)
                  if item.source == source and known[index]]
        columns = ([_cosine(answers[index]) for index in chosen],
                   [items.pairs[index].rating for index in chosen])
        centred = [rankdata(column) - (len(chosen) + 1) / 2 for column in columns]
        ranks |= dict(zip(chosen, zip(*centred, strict=True), strict=True))
    for index, item in enumerate(items.pairs):
        found = {f"{item.source}_pairs": 1.0}
        if index in ranks:
            x, y = ranks[index]
            moments = (1.0, x, y, x * x, y * y, x * y)
            found |= {f"{item.source}_{name}": value
                      for name, value in zip(_MOMENTS, moments, strict=True)}
        yield found


def _cosine(found: Prediction) -> float:
    cosine = answer_of(found, "cosine", Number)
    if not -1.01 < cosine < 1.01:
        raise UserError(f"prediction {found['id']!r}: expected a 'cosine' between -1 and 1, got "
                        f"{cosine!r}; evaluate the system again")
    return float(cosine)
