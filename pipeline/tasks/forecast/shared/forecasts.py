"""What every forecaster of the task gives, and how forecasts become predictions.

A forecaster answers two questions: the futures of the series that it was fitted on, and those of
series that somebody brings. Which of them a series is, its past tells, whatever its name, its place
and the series beside it; so an answer depends on the past that is asked for and on nothing else.

No answer is made by another method without a word: a prediction names the method that made it where
that is not the row's own.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.entries import VariantSettings
from pipeline.errors import UserError
from pipeline.storage.numbers import on_grid
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import System
from pipeline.tasks.forecast.shared.measures import Array
from pipeline.tasks.forecast.shared.storage import (
    fingerprints,
    load_ids,
    load_pasts,
    load_places,
)
from pipeline.tasks.forecast.shared.values import check_values

# No score sees what is left out: a series' errors are of the size of its steps, and sMAPE looks at
# the digits of what is near zero. Of 400,000 random walks none had a score that moved by more than
# a millionth; with one bit less it is one in 70,000.
BITS = 20
_PART_OF_A_STEP = 2.0**-19
# Limits count by the width between them, and a point outside by forty times its distance.
_PART_OF_A_WIDTH = 2.0**-22


@dataclass(frozen=True)
class Forecasts:
    """Forecasts [series, h] and the limits of their 95 % intervals, of the same shape or None.

    `methods` [series] names what made a forecast, "" where it is the row's own method.
    """

    points: Array
    low: Array | None = None
    high: Array | None = None
    methods: Sequence[str] | None = field(default=None, kw_only=True)

    def predictions(self, ids: Sequence[str], pasts: Sequence[Array]) -> Iterator[Prediction]:
        """{"id": ..., "forecast": [h numbers]}, with "low", "high" and "method" where there are.

        Numbers are multiples of a power of two, which is at most two millionths of a usual small
        step of their series, or for a limit a four-millionth of its distance from the forecast
        where that is more. They have `BITS` significant bits at least, and all of them where there
        is neither a step nor a distance.
        """
        columns = {name: values.tolist() for name, values in self._columns().items()}
        for row, (identity, past) in enumerate(zip(ids, pasts, strict=True)):
            unit = unit_of(past)
            prediction: Prediction = {"id": identity, **{
                name: [on_grid(value, max(unit, _PART_OF_A_WIDTH * abs(value - point)), BITS)
                       for value, point in zip(values[row], columns["forecast"][row], strict=True)]
                for name, values in columns.items()}}
            if self.methods is not None and self.methods[row]:
                prediction["method"] = self.methods[row]
            yield prediction

    def check_finite(self, ids: Sequence[str]) -> None:
        """Raises UserError naming the first of `ids` with a number that is not finite."""
        fine = np.all([np.isfinite(values).all(axis=1) for values in self._columns().values()],
                      axis=0)
        if not fine.all():
            raise UserError(f"series {ids[int(np.flatnonzero(~fine)[0])]!r}: its forecast grows "
                            "beyond all numbers; mend or remove the series, or ask another system")

    def _columns(self) -> dict[str, Array]:
        found = {"forecast": self.points, "low": self.low, "high": self.high}
        return {name: values for name, values in found.items() if values is not None}


class Forecaster(System):
    """A system of the forecasting task."""

    # Points at the end of a past that must be positive.
    positive = 0

    def __init__(self, settings: Any, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        if not isinstance(spec["pasts"], list):
            raise TypeError("it does not know one by one the series that it was fitted on")

    @abstractmethod
    def forecast(self, ids: Sequence[str], pasts: Sequence[Array],
                 variant: VariantSettings | None) -> Forecasts:
        """Forecast any series of the track's frequency; `ids` name them in errors.

        Raises UserError naming a series that the system cannot forecast.
        """

    def forecast_fitted(self, rows: Sequence[int], ids: Sequence[str], pasts: Sequence[Array],
                        variant: VariantSettings | None) -> Forecasts:
        """Forecast series that the system was fitted on, which were `rows` of those.

        As any other, unless it keeps more of them.
        """
        return self.forecast(ids, pasts, variant)

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        ids, pasts = load_ids(data), load_pasts(data)
        check_values(ids, pasts, self.positive, load_places(data))
        fitted = {digest: row for row, digest in reversed([*enumerate(self.spec["pasts"])])}
        rows = [fitted.get(digest, -1) for digest in fingerprints(pasts)]
        answers: dict[int, Prediction] = {}
        for known in (True, False):
            places = [place for place, row in enumerate(rows) if (row >= 0) == known]
            if places:
                found = self._answers([rows[place] for place in places] if known else None,
                                      [ids[place] for place in places],
                                      [pasts[place] for place in places], variant)
                answers.update(zip(places, found, strict=True))
        yield from (answers[place] for place in range(len(ids)))

    def _answers(self, rows: Sequence[int] | None, ids: Sequence[str], pasts: Sequence[Array],
                 variant: VariantSettings | None) -> Iterator[Prediction]:
        """Predictions of series that were fitted on, as `rows`, or of others."""
        found = self.forecast(ids, pasts, variant) if rows is None else \
            self.forecast_fitted(rows, ids, pasts, variant)
        found.check_finite(ids)
        return found.predictions(ids, pasts)


def unit_of(past: Array) -> float:
    """What forecasts of a series are rounded to, or the power of two below; 0 without steps."""
    return _PART_OF_A_STEP * small_step(past)


def small_step(past: Array) -> float:
    """The lower quartile of a past's steps from point to point, but for those of 0; 0 for none.

    Digits that show it show all that moves, also beside a break that is larger by orders.
    """
    steps = np.abs(np.diff(np.asarray(past)))
    steps = steps[steps > 0]
    return float(np.quantile(steps, 0.25)) if len(steps) else 0.0
