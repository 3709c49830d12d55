"""BLEU and chrF as functions of sums over sentences, and what a sentence adds to the sums.

BLEU (Papineni et al. 2002) of a test set is not a mean over sentences: it is one function of the
n-gram matches, n-gram counts and lengths summed over them (Post 2018), and so is chrF (Popovic
2015). sacreBLEU counts; the scores of the sums equal its own.
"""

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.helpers import extract_all_char_ngrams

ORDER = 4
CHARACTER_ORDER = 6
# 13a is the tokenizer of text with spaces; char makes each character a word, for text without.
BleuTokenizer = Literal["13a", "char"]


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


def bleu_statistics(hypothesis: str, reference: str,
                    tokenizer: BleuTokenizer = "13a") -> list[int]:
    """The ten counts of one sentence that `bleu` wants summed."""
    found = _counter(tokenizer).sentence_score(hypothesis, [reference])
    return [found.sys_len, found.ref_len, *found.counts, *found.totals]


@cache
def _counter(tokenizer: BleuTokenizer) -> BLEU:
    return BLEU(effective_order=True, tokenize=tokenizer)


def chrf_statistics(hypothesis: str, reference: str) -> list[int]:
    """The 18 counts of one sentence that `chrf` wants summed."""
    statistics = []
    for system, correct in zip(*(extract_all_char_ngrams(text, CHARACTER_ORDER, False)
                                 for text in (hypothesis, reference)), strict=True):
        # sacreBLEU counts a system's n-grams only where the reference has any of that order.
        statistics += [system.total() if correct else 0, correct.total(),
                       (system & correct).total()]
    return statistics
