"""Weights of series: by hand, and at the edges."""

import numpy as np
import pytest

from pipeline.tasks.forecast.shared.weights import series_weights


def test_weights_by_hand() -> None:
    """Mean steps of 1 and 3 around a level of 10: s = 0.1 and 0.3, mean 0.2.

    1 + 0.2 / 0.1 = 3 and 1 + 0.2 / 0.3 = 5/3, whose mean is 7/3.
    """
    pasts = [np.array([9.5, 10.5] * 3), np.array([8.5, 11.5] * 3)]
    np.testing.assert_allclose(series_weights("owa", pasts, 1), [9 / 7, 5 / 7])
    np.testing.assert_array_equal(series_weights("equal", pasts, 1), [1, 1])


def test_a_series_that_never_moves_does_not_count_for_all() -> None:
    pasts = [np.array([9.0, 11, 9, 11])] * 9 + [np.full(4, 5.0)]
    weights = series_weights("owa", pasts, 1)
    assert weights.mean() == pytest.approx(1)
    assert weights[-1] / weights[0] == pytest.approx((1 + 1 / 0.1) / (1 + 0.9))


@pytest.mark.parametrize("past", [[0.0] * 5, [3.0], [4.0] * 9])
def test_series_without_a_scale_have_a_weight(past: list[float]) -> None:
    assert series_weights("owa", [np.array(past)] * 2, 4).tolist() == [1, 1]
