"""Answers that a search ended because they may not be longer, and that say so.

A hypothesis that reaches the longest answer allowed has to end there, and would otherwise look like
one that had come to its end.
"""

from pipeline.storage.predictions import Prediction, answer_of

_CUT = "cut"


def cut_at(limit: int, length: int) -> Prediction:
    """What is added to an answer of `length` tokens where a search allows no more than `limit`."""
    return {_CUT: True} if length >= limit else {}


def is_cut(prediction: Prediction) -> bool:
    """Whether an answer was cut. Raises UserError for a prediction that says anything else."""
    return _CUT in prediction and answer_of(prediction, _CUT, bool)
