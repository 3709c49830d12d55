"""Scores of translations: BLEU and chrF of detokenised text, as sacreBLEU computes them.

BLEU (Papineni et al. 2002) of a test set is not a mean over sentences: it is one function of the
n-gram matches, n-gram counts and lengths summed over them (Post 2018). Those are the columns here,
so a resampled or partial test set gets exactly the BLEU that sacreBLEU would give it. A sentence
outside a metric's part of the test set has zeros in that metric's columns.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.helpers import extract_all_char_ngrams

from pipeline.files import read_json
from pipeline.predictions import Prediction, aligned
from pipeline.scores import ItemStatistics, Metric

LONG_SENTENCE = 20
ORDER = 4
CHARACTER_ORDER = 6
_BLEU = BLEU(effective_order=True)


def _signature(scorer: BLEU | CHRF) -> str:
    """sacreBLEU's own signature; it knows the number of references only after a score."""
    scorer.corpus_score(["a"], [["a"]])
    return str(scorer.get_signature())


def bleu(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """BLEU of sums [..., 10]: system and reference length, four matches, four n-gram counts.

    Geometric mean of the n-gram precisions times the brevity penalty; the k-th precision without
    a match counts 1 / (2^k total), sacreBLEU's default "exp" smoothing. NaN without a reference.
    """
    length, reference = sums[..., 0], sums[..., 1]
    matches, totals = sums[..., 2 : 2 + ORDER], sums[..., 2 + ORDER :]
    halvings = np.cumsum(matches == 0, axis=-1)
    smoothed = np.where(matches == 0, 0.5**halvings, matches)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.exp(np.log(smoothed / totals).mean(axis=-1))
        brevity = np.exp(np.minimum(0.0, 1.0 - reference / length))
        score = 100.0 * brevity * precision
    scorable = (totals > 0).all(axis=-1) & (matches > 0).any(axis=-1)
    return np.where(reference > 0, np.where(scorable, score, 0.0), np.nan)


def chrf(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """chrF of sums [..., 18]: for n = 1 to 6 the n-grams of system, reference, and both.

    F score with beta 2 of the mean precision and the mean recall over n (Popovic 2015); an order
    that one side lacks is left out, as sacreBLEU does. NaN without a reference.
    """
    system, reference, both = np.moveaxis(
        sums.reshape(*sums.shape[:-1], CHARACTER_ORDER, 3), -1, 0)
    present = (system > 0) & (reference > 0)
    orders = np.maximum(present.sum(axis=-1), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(present, both / system, 0.0).sum(axis=-1) / orders
        recall = np.where(present, both / reference, 0.0).sum(axis=-1) / orders
        score = 100.0 * 5 * precision * recall / (4 * precision + recall)
    score = np.where(precision + recall > 0, score, 0.0)
    return np.where(reference[..., 0] > 0, score, np.nan)


def _bleu_columns(part: str) -> tuple[str, ...]:
    return (f"{part}_system_length", f"{part}_reference_length",
            *(f"{part}_matches_{n}" for n in range(1, ORDER + 1)),
            *(f"{part}_total_{n}" for n in range(1, ORDER + 1)))


_CHRF_COLUMNS = tuple(f"chrf_{kind}_{n}" for n in range(1, CHARACTER_ORDER + 1)
                      for kind in ("system", "reference", "both"))

METRICS: dict[str, Metric] = {
    "bleu": Metric("higher", _bleu_columns("bleu"), bleu,
                   "BLEU of detokenised text, 0 to 100", _signature(BLEU())),
    "chrf": Metric("higher", _CHRF_COLUMNS, chrf,
                   "chrF, character n-gram F score, 0 to 100", _signature(CHRF())),
    "bleu_long": Metric("higher", _bleu_columns("bleu_long"), bleu,
                        f"BLEU of the sentences longer than {LONG_SENTENCE} source words",
                        _signature(BLEU())),
}


def score(predictions: list[Prediction], test: Path) -> ItemStatistics:
    """Statistics of each test item; `test` is the features' folder.

    The ordinary metrics are those of the condition "test"; `bleu_long` is that of the
    condition "long" and of every other sentence with more than `LONG_SENTENCE` source words.
    """
    items = read_json(test / "items.json")
    ids = [item["id"] for item in items]
    hypotheses = [prediction["hypothesis"] for prediction in aligned(predictions, ids)]
    pairs = [(hypothesis, item["reference"])
             for hypothesis, item in zip(hypotheses, items, strict=True)]
    ordinary = np.array([item["condition"] == "test" for item in items])
    long = np.array([item["condition"] == "long" or
                     len(item["source"].split()) > LONG_SENTENCE for item in items])
    words = np.array([bleu_statistics(*pair) for pair in pairs], dtype=np.float64)
    characters = np.array([_chrf_statistics(*pair) for pair in pairs], dtype=np.float64)
    parts = [("bleu", words, ordinary), ("chrf", characters, ordinary), ("bleu_long", words, long)]
    return ItemStatistics(ids, {
        name: np.where(included, column, 0.0)
        for metric, statistics, included in parts
        for name, column in zip(METRICS[metric].columns, statistics.T, strict=True)})


def bleu_statistics(hypothesis: str, reference: str) -> list[int]:
    """The ten counts of one sentence that `bleu` wants summed."""
    found = _BLEU.sentence_score(hypothesis, [reference])
    return [found.sys_len, found.ref_len, *found.counts, *found.totals]


def _chrf_statistics(hypothesis: str, reference: str) -> list[int]:
    statistics = []
    for system, correct in zip(*(extract_all_char_ngrams(text, CHARACTER_ORDER, False)
                                 for text in (hypothesis, reference)), strict=True):
        # sacreBLEU counts a system's n-grams only where the reference has any of that order.
        statistics += [system.total() if correct else 0, correct.total(),
                       (system & correct).total()]
    return statistics
