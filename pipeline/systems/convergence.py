"""Whether a training had converged when it ended, or was stopped by its budget of epochs.

A row that was still learning says less about its model than about the time that it was given, so a
comparison with it has to say so. A training had converged when its patience ended it; otherwise
when its validation loss was flat: over the last quarter of the validations the lowest loss fell by
no more than two thousandths of itself. A loss that has nearly vanished still halves when nothing
is left to learn; it is flat when it fell by no more than a thousandth of what it fell in all.

A schedule that lowers the learning rate to zero flattens every curve. So "converged" says that the
training was at its end, not that a longer one would have gained nothing; pages tell this with it.
"""

import math
from collections.abc import Sequence

OF_ITSELF = 0.002
OF_ITS_FALL = 0.001
_PARTS = 4  # the last one of so many is looked at


def converged(losses: Sequence[float], patience: int) -> bool:
    """Of a training with these validation losses, in order.

    `patience` is how many validations without progress end it, 0 for never. Fewer than four
    validations have no last quarter and show nothing.
    """
    if _ended_by_patience(losses, patience):
        return True
    if len(losses) < _PARTS:
        return False
    before, lowest = min(losses[:-math.ceil(len(losses) / _PARTS)]), min(losses)
    flat = max(OF_ITSELF * abs(lowest), OF_ITS_FALL * (losses[0] - lowest))
    return before - lowest <= flat


def _ended_by_patience(losses: Sequence[float], patience: int) -> bool:
    if patience == 0 or len(losses) <= patience:
        return False
    return min(losses[-patience:]) >= min(losses[:-patience])
