"""Predictions are written with six significant digits, whatever the size of the series."""

import numpy as np

from pipeline.tasks.forecast.shared.forecasts import Forecasts


def test_numbers_of_every_size_keep_six_digits() -> None:
    points = np.array([[123456.789, -0.000123456789], [0.0, 9.9999996e12]])
    found = list(Forecasts(points, high=points + 1).predictions(["a", "b"]))
    assert [one["forecast"] for one in found] == [[123457.0, -0.000123457], [0.0, 1e13]]
    assert found[0] == {"id": "a", "forecast": found[0]["forecast"], "high": [123458.0, 0.999877]}
