"""Which phone of an answer stands for which phone of a reference.

The pairs are those of an alignment with the fewest errors, of all such alignments the one whose
pairs begin nearest to each other in time. A pause stands for a pause alone.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.audio.phones import SILENCE

# Seconds count so little that all of them together are no error.
_OF_A_SECOND = 1e-6
_NEVER = 3.0  # more than to leave out one phone and to put in another

Times = Sequence[float | None]


def pairs(reference: Sequence[str], answer: Sequence[str], begins: Times = (),
          answered: Times = ()) -> dict[int, int]:
    """The place in the answer of each phone of the reference that has one, by its place.

    `begins` and `answered` are the seconds at which they begin, None where unknown, or are empty.
    """
    changed = np.array([[_cost(one, other) for other in answer] for one in reference])
    if len(begins) and len(answered):
        first = np.array([np.nan if begin is None else begin for begin in begins])
        apart = np.abs(first[:, None] - np.array(answered, np.float64)[None])
        changed = changed + _OF_A_SECOND * np.nan_to_num(apart, nan=0.0)
    rows, columns = len(reference), len(answer)
    cost = np.add.outer(np.arange(rows + 1.0), np.arange(columns + 1.0))
    for row in range(1, rows + 1):
        for column in range(1, columns + 1):
            cost[row, column] = min(cost[row - 1, column - 1] + changed[row - 1, column - 1],
                                    cost[row - 1, column] + 1, cost[row, column - 1] + 1)
    found: dict[int, int] = {}
    row, column = rows, columns
    while row and column:
        if cost[row, column] == cost[row - 1, column - 1] + changed[row - 1, column - 1]:
            row, column = row - 1, column - 1
            found[row] = column
        elif cost[row, column] == cost[row - 1, column] + 1:
            row -= 1
        else:
            column -= 1
    return found


def _cost(one: str, other: str) -> float:
    if one == other:
        return 0.0
    return _NEVER if SILENCE in (one, other) else 1.0
