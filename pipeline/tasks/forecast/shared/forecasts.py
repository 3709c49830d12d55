"""What every forecaster of the task gives, and how forecasts become predictions.

A forecaster answers two questions: the futures of the series that it was fitted on, and those of
series that somebody brings (`own`). It tells which are asked for by their pasts.
"""

import math
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
from pipeline.tasks.forecast.shared.storage import fingerprint, load_ids, load_pasts

# No measure sees more, and files of predictions are a third as large as with all digits.
DIGITS = 6
_MOST_DIGITS = 15  # a decimal number of so many is the same after it was read as a float


@dataclass(frozen=True)
class Forecasts:
    """Forecasts [series, h] and the limits of their 95 % intervals, of the same shape or None."""

    points: Array
    low: Array | None = None
    high: Array | None = None

    def predictions(self, ids: Sequence[str]) -> Iterator[Prediction]:
        """{"id": ..., "forecast": [h numbers]}, with "low" and "high" where there are any.

        Numbers have `DIGITS` significant digits, or as many as a hundredth of their series' spread
        needs: a series around a hundred million may move in steps of one.
        """
        columns = {"forecast": self.points, "low": self.low, "high": self.high}
        places = [_places(spread) for spread in self._spreads().tolist()]
        lists = {name: _rounded(values, places) for name, values in columns.items()
                 if values is not None}
        for row, identity in enumerate(ids):
            yield {"id": identity, **{name: values[row] for name, values in lists.items()}}


    def _spreads(self) -> Array:
        """How far each series' numbers lie apart, [series]: from step to step, low to high."""
        spread = np.ptp(self.points, axis=1)
        if self.low is None or self.high is None:
            return spread
        return np.maximum(spread, np.mean(self.high - self.low, axis=1))


class Forecaster(System):
    """A system of the forecasting task."""

    @abstractmethod
    def forecast(self, ids: Sequence[str], pasts: Sequence[Array],
                 variant: VariantSettings | None) -> Forecasts:
        """Forecast any series of the track's frequency; `ids` name them in errors.

        Raises UserError naming a series that the system cannot forecast.
        """

    def forecast_fitted(self, ids: Sequence[str], pasts: Sequence[Array],
                        variant: VariantSettings | None) -> Forecasts:
        """Forecast the series that the system was fitted on, as any other unless it keeps more."""
        return self.forecast(ids, pasts, variant)

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        ids, pasts = load_ids(data), load_pasts(data)
        known = fingerprint(pasts) == self.spec["pasts"]
        found = (self.forecast_fitted if known else self.forecast)(ids, pasts, variant)
        yield from found.predictions(ids)


def _places(spread: float) -> int:
    """Decimal places of a hundredth of `spread`, negative where that is more than one."""
    return 2 - math.floor(math.log10(spread)) if 0 < spread < math.inf else _MOST_DIGITS


def _rounded(values: Array, places: Sequence[int]) -> list[list[float]]:
    return [[_shortest(value, wanted) for value in row]
            for row, wanted in zip(values.tolist(), places, strict=True)]


def _shortest(value: float, places: int) -> float:
    """`value` with `DIGITS` significant digits, or more where `places` asks for them."""
    if value == 0 or not math.isfinite(value):
        return value
    digits = math.floor(math.log10(abs(value))) + 1 + places
    return float(f"{value:.{min(max(DIGITS, digits), _MOST_DIGITS)}g}")


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
