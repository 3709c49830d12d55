"""The sum of two Student's t: tables, brute force, and its edges."""

import math

import numpy as np
import pytest
from scipy import stats

from pipeline.scoring.two_sources import quantile, tail

ANGLES = (0, 15, 30, 45, 60, 75, 90)
# Sukhatme 1938, two-sided 5 % points of the Behrens-Fisher distribution; the angle's squared sine
# is the first source's part of the variance.
TABLE = {(6, 6): (2.447, 2.440, 2.435, 2.435, 2.435, 2.440, 2.447),
         (6, 8): (2.306, 2.310, 2.331, 2.364, 2.398, 2.430, 2.447)}


def shares(angle: float) -> tuple[float, float]:
    return math.sin(math.radians(angle)) ** 2, math.cos(math.radians(angle)) ** 2


@pytest.mark.parametrize(("freedoms", "points"), TABLE.items())
def test_quantiles_are_those_of_the_published_table(freedoms: tuple[int, int],
                                                    points: tuple[float, ...]) -> None:
    assert [quantile(0.975, shares(angle), freedoms) for angle in ANGLES] == pytest.approx(
        points, abs=1.5e-3)


@pytest.mark.parametrize("variances", [(0.002, 0.002), (0.3, 0.002), (1e-4, 1.0), (1.0, 2.0)])
def test_tail_is_that_of_drawn_sums(variances: tuple[float, float]) -> None:
    generator = np.random.default_rng(1)
    drawn = sum(math.sqrt(variance) * generator.standard_t(freedom, 400_000)
                for variance, freedom in zip(variances, (2, 39), strict=True))
    for share in (0.3, 0.05, 0.01):
        distance = float(np.quantile(drawn, 1 - share))
        noise = 5 * math.sqrt(share / 400_000)
        assert tail(distance, variances, (2, 39)) == pytest.approx(share, abs=noise)


@pytest.mark.parametrize("order", [1, -1])
def test_a_source_without_variance_has_no_part(order: int) -> None:
    for tiny in (0.0, 1e-12):
        found = tail(3.0, (tiny, 1.0)[::order], (4, 30)[::order])
        assert found == pytest.approx(stats.t.sf(3.0, 30), rel=1e-4)
    assert quantile(0.5, (1.0, 1.0), (4, 30)) == 0
    assert quantile(0.9, (0.0, 0.0), (4, 30)) == 0


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_far_tails_and_units_are_no_matter(scale: float) -> None:
    """In a heavy tail the sum is as far out as the heavier of the two alone."""
    variances = (scale ** 2, scale ** 2)
    assert tail(1000 * scale, variances, (2, 39)) == pytest.approx(stats.t.sf(1000, 2), rel=0.01)
    assert tail(0.0, variances, (2, 39)) == pytest.approx(0.5)
