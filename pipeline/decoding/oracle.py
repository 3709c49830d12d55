"""How good an answer could be if somebody chose the best of several hypotheses: the oracle."""

from collections.abc import Sequence

import numpy as np


def fewest_errors(reference: Sequence[str], hypotheses: Sequence[Sequence[str]]) -> list[int]:
    """Word errors of the best among the first 1, 2, ... hypotheses.

    Errors are substitutions, deletions and insertions, as jiwer counts them.
    """
    from rapidfuzz.distance import Levenshtein

    errors = [Levenshtein.distance(reference, hypothesis) for hypothesis in hypotheses]
    return np.minimum.accumulate(np.array(errors, np.int64)).tolist()
