"""What every forecaster of the task gives, and how forecasts become predictions.

A forecaster answers two questions through one function: the futures of the track's series, and
those of series that somebody brings (`pipeline.commands.forecast`).
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.entries import VariantSettings
from pipeline.errors import UserError
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import System
from pipeline.tasks.forecast.shared.measures import Array
from pipeline.tasks.forecast.shared.storage import check_series, load_pasts

# No measure sees more, and files of predictions are a third as large as with all digits.
DIGITS = 6


@dataclass(frozen=True)
class Forecasts:
    """Forecasts [series, h] and the limits of their 95 % intervals, of the same shape or None."""

    points: Array
    low: Array | None = None
    high: Array | None = None

    def predictions(self, ids: Sequence[str]) -> Iterator[Prediction]:
        """{"id": ..., "forecast": [h numbers]}, with "low" and "high" where there are any.

        Numbers have `DIGITS` significant digits.
        """
        columns = {"forecast": self.points, "low": self.low, "high": self.high}
        lists = {name: _rounded(values) for name, values in columns.items() if values is not None}
        for row, identity in enumerate(ids):
            yield {"id": identity, **{name: values[row] for name, values in lists.items()}}


class Forecaster(System):
    """A system of the forecasting task."""

    @abstractmethod
    def forecast(self, ids: Sequence[str], pasts: Sequence[Array],
                 variant: VariantSettings | None) -> Forecasts:
        """Forecast any series of the track's frequency; `ids` name them in errors.

        Raises UserError naming a series that the system cannot forecast.
        """

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        ids = check_series(self.spec, data)
        yield from self.forecast(ids, load_pasts(data), variant).predictions(ids)


def _rounded(values: Array) -> list[list[float]]:
    return [[float(f"{value:.{DIGITS}g}") for value in row] for row in values.tolist()]


def check_finite(values: Array, ids: Sequence[str], name: str) -> None:
    """Raises UserError naming the first of `ids` whose row of `values` [series, h] has a NaN."""
    broken = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if broken.size:
        raise UserError(f"series {ids[int(broken[0])]!r}: {name} gives no finite forecast; "
                        "mend or remove the series")


def check_values(ids: Sequence[str], pasts: Sequence[Array], positive: bool) -> None:
    """Raises UserError naming a past with a value that is not finite, or, if asked, positive."""
    for identity, past in zip(ids, pasts, strict=True):
        if len(past) == 0 or not np.all(np.isfinite(past)):
            raise UserError(f"series {identity!r} has values that are no finite numbers; "
                            "mend or remove the series")
        if positive and not np.all(past > 0):
            raise UserError(f"series {identity!r} has values that are not positive, and the "
                            "system takes logarithms: remove the series or add a constant to it")
