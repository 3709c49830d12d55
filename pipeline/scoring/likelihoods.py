"""Negative log-probabilities in predictions, as models of text and of music are scored by them."""

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.storage.predictions import Number, Prediction, answer_of


def checked_nats(prediction: Prediction, count: int, meaning: str) -> NDArray[np.float64]:
    """The `count` values of a prediction's list 'nll'; `meaning` says what they belong to.

    Raises UserError when there is no such list, when it has another length, or when a value is no
    negative log-probability.
    """
    identity = prediction["id"]
    losses = np.array(answer_of(prediction, "nll", list[Number]), np.float64)
    if losses.shape != (count,):
        raise UserError(f"prediction {identity!r}: expected {count} values of 'nll' ({meaning}), "
                        f"got shape {losses.shape}; evaluate the system again on this corpus")
    if not np.all(losses >= 0):
        raise UserError(f"prediction {identity!r}: 'nll' holds a value that is no negative "
                        "log-probability; evaluate the system again")
    return losses
