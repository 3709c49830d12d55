"""BLEU-1 to BLEU-4 against five references, as functions of sums over pictures.

BLEU-n (Papineni et al. 2002) uses the n-grams of one to n words. sacreBLEU counts, and the scores
of the sums equal its own.
"""

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.bleu import BLEU

ORDER = 4
REFERENCES = 5
COLUMNS = ("system_length", "reference_length", *(f"matches_{n}" for n in range(1, ORDER + 1)),
           *(f"total_{n}" for n in range(1, ORDER + 1)))

_COUNTER = BLEU(effective_order=True)


def bleu(sums: NDArray[np.float64], order: int = ORDER) -> NDArray[np.float64]:
    """BLEU of `order` from sums [..., 10] of `COLUMNS`, 0 to 100, NaN without a reference.

    Geometric mean of the n-gram precisions times the brevity penalty; the k-th precision without
    a match counts 1 / (2^k total), sacreBLEU's default "exp" smoothing.
    """
    length, reference = sums[..., 0], sums[..., 1]
    matches, totals = sums[..., 2 : 2 + order], sums[..., 2 + ORDER : 2 + ORDER + order]
    smoothed = np.where(matches == 0, 0.5 ** np.cumsum(matches == 0, axis=-1), matches)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.exp(np.log(smoothed / totals).mean(axis=-1))
        score = 100.0 * precision * np.exp(np.minimum(0.0, 1.0 - reference / length))
    scorable = (totals > 0).all(axis=-1) & (matches > 0).any(axis=-1)
    return np.where(reference > 0, np.where(scorable, score, 0.0), np.nan)


def bleu_statistics(sentence: str, references: list[str]) -> list[int]:
    """The ten counts of one sentence that `bleu` wants summed.

    An n-gram matches as often as the reference that has it most; the reference length is that of
    the reference nearest in length.
    """
    found = _COUNTER.sentence_score(sentence, references)
    return [found.sys_len, found.ref_len, *found.counts, *found.totals]


def signature(order: int) -> str:
    """sacreBLEU's own; it knows the number of references only after a score."""
    scorer = BLEU(max_ngram_order=order)
    scorer.corpus_score(["a"], [["a"]] * REFERENCES)
    return str(scorer.get_signature())
