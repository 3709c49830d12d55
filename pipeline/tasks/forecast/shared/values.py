"""Which values systems compute with, and what they say of a series that has others.

Systems take squares and logarithms, and networks compute these in single precision while they are
trained. Within e^-50 and e^50 in size, and at 0, none of it overflows or loses its digits; nothing
that is counted or measured needs more, whatever its unit.
"""

import math
from collections.abc import Sequence

import numpy as np

from pipeline.errors import UserError
from pipeline.tasks.forecast.shared.measures import Array

SMALLEST, LARGEST = math.exp(-50), math.exp(50)
_NOT_POSITIVE = ("not positive, and the system takes logarithms",
                 "remove the series or add a constant to it")


def problem(value: float) -> tuple[str, str] | None:
    """What values such as this are, and what to do; None where systems compute with it."""
    if not math.isfinite(value):
        return "no finite numbers", "mend or remove the series"
    if value != 0 and not SMALLEST <= abs(value) <= LARGEST:
        return (f"beyond what systems compute with, which is 0 and {SMALLEST:.2e} to "
                f"{LARGEST:.2e} in size", "multiply the values of the series by a constant")
    return None


def check_values(ids: Sequence[str], pasts: Sequence[Array], positive: int = 0,
                 places: Sequence[Sequence[str]] | None = None) -> None:
    """Raises UserError naming the first series with a value that systems do not compute with.

    The last `positive` points of each past have to be positive. `places` says for each series
    where each of its values stands.
    """
    for row, (identity, past) in enumerate(zip(ids, pasts, strict=True)):
        values = np.asarray(past)
        if len(values) == 0:
            raise UserError(f"series {identity!r} has no values; remove the series")
        size = np.abs(values)
        fine = (values == 0) | ((size >= SMALLEST) & (size <= LARGEST))
        fine[max(0, len(values) - positive) :] &= values[max(0, len(values) - positive) :] > 0
        if fine.all():
            continue
        place = int(np.flatnonzero(~fine)[0])
        value = float(values[place])
        what, remedy = problem(value) or _NOT_POSITIVE
        where = f"{places[row][place]}: " if places else ""
        raise UserError(f"{where}series {identity!r} has values that are {what} (point "
                        f"{place + 1} is {value!r}); {remedy}")
