"""M4's seasonality test, decomposition and Naive2, worked by hand and by statsmodels."""

import numpy as np
import pytest
from statsmodels.tsa.seasonal import seasonal_decompose

from pipeline.tasks.forecast.shared.seasonality import (
    adjust,
    autocorrelations,
    is_seasonal,
    naive2,
    seasonal_indices,
    seasonal_naive,
)


def test_autocorrelations_by_hand() -> None:
    """1, 3, 1, 3, 1, 3: five products of -1 and four of +1 over a sum of squares of 6."""
    np.testing.assert_allclose(autocorrelations(np.array([1.0, 3] * 3), 2), [-5 / 6, 4 / 6])


def test_seasonality_test_at_its_boundary() -> None:
    """Of 1, 3, 1, 3, ... ten points are not enough and twelve are.

    n = 10: r = (-0.9, 0.8), limit 1.645 sqrt((1 + 2 * 0.81) / 10) = 0.843 > 0.8.
    n = 12: r = (-11/12, 10/12), limit 1.645 sqrt((1 + 2 * 121/144) / 12) = 0.777 < 0.833.
    """
    assert not is_seasonal(np.array([1.0, 3] * 5), 2)
    assert is_seasonal(np.array([1.0, 3] * 6), 2)


def test_three_whole_seasons_are_needed() -> None:
    december = np.tile([10.0] * 11 + [15.0], 3)
    assert is_seasonal(december, 12)
    assert not is_seasonal(december[:-1], 12)


@pytest.mark.parametrize("series", [np.full(40, 3.0), np.zeros(40)])
def test_constant_series_has_no_season(series: np.ndarray) -> None:
    assert not is_seasonal(series, 4)
    np.testing.assert_array_equal(naive2(series, 4, 3), series[:3])


@pytest.mark.parametrize(("period", "length"), [(12, 61), (4, 30), (7, 40), (2, 15)])
def test_indices_are_those_of_statsmodels(period: int, length: int) -> None:
    generator = np.random.Generator(np.random.PCG64(period))
    series = 50 + np.arange(length) + 20 * generator.random(length)
    expected = seasonal_decompose(series, model="multiplicative", period=period).seasonal
    np.testing.assert_allclose(seasonal_indices(series, period), expected, rtol=1e-10)


def test_naive2_is_exact_on_a_level_with_a_season() -> None:
    season = np.array([0.5, 1.0, 1.5, 1.0])
    series = 100 * np.tile(season, 6)[:22]
    np.testing.assert_allclose(naive2(series, 4, 6), 100 * season[[2, 3, 0, 1, 2, 3]])
    adjusted = adjust(series, 4, 6)
    np.testing.assert_allclose(adjusted.values, 100)


def test_a_series_through_zero_has_no_multiplicative_season() -> None:
    series = np.tile([-1.0, 1.0], 10)
    assert is_seasonal(series, 2)
    np.testing.assert_array_equal(naive2(series, 2, 3), [1, 1, 1])


def test_seasonal_naive_repeats_the_last_season() -> None:
    np.testing.assert_array_equal(seasonal_naive(np.arange(10.0), 3, 5), [7, 8, 9, 7, 8])
    np.testing.assert_array_equal(seasonal_naive(np.array([1.0, 2]), 3, 2), [2, 2])
