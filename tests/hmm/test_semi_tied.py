"""Semi-tied covariances against a numerical optimum and frames whose rotation is known."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from pipeline.hmm.gmm import Mixtures
from pipeline.hmm.semi_tied import Spreads, log_likelihood, rotated, semi_tied, variances_in


def turned(seed: int, matrix: np.ndarray) -> tuple[Mixtures, np.ndarray, np.ndarray]:
    """Frames of two states whose dimensions are independent after x -> matrix x."""
    random = np.random.default_rng(seed)
    states = np.repeat([0, 1], 4000)
    deviations = np.array([[2.0, 0.3], [0.4, 1.5]])[states]
    frames = (random.normal(0, deviations) + np.array([[0, 0], [30, -20]])[states])
    frames = frames @ np.linalg.inv(matrix).T
    means = np.array([frames[states == k].mean(axis=0) for k in (0, 1)])
    variances = np.array([frames[states == k].var(axis=0) for k in (0, 1)])
    return Mixtures(np.ones(2), means, variances, np.arange(3)), frames, states


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_no_round_lowers_the_likelihood(seed: int) -> None:
    random = np.random.default_rng(seed)
    factors = random.normal(size=(6, 4, 4))
    spreads = Spreads(random.uniform(1, 50, 6), np.zeros((6, 4)),
                      factors @ factors.swapaxes(1, 2) + 0.1 * np.eye(4))
    _, found = semi_tied(spreads, 8)
    assert all(after >= before - 1e-9 for before, after in zip(found, found[1:], strict=False))
    assert found[-1] > found[0] and len(found) == 9


def test_the_rotation_is_found_up_to_scale_and_order() -> None:
    matrix = np.array([[0.8, 0.6], [-0.5, 1.2]])
    mixtures, frames, states = turned(1, matrix)
    spreads = Spreads.of(mixtures, frames, states)
    found, objectives = semi_tied(spreads, 30)
    # A times the inverse has one large entry in each row: which is which, and its scale, are free.
    shares = np.abs(found @ np.linalg.inv(matrix))
    assert (shares.min(axis=1) / shares.max(axis=1) < 0.05).all()
    after = rotated(mixtures, spreads, found, np.zeros(2))
    # Density of the frames after the transform, volume included, frame by frame.
    total = sum(multivariate_normal(after.means[k], np.diag(after.variances[k])).logpdf(
        frames[states == k] @ found.T).sum() for k in (0, 1))
    total += len(frames) * np.log(abs(np.linalg.det(found)))
    np.testing.assert_allclose(objectives[-1], total / len(frames), rtol=1e-9)


def test_no_other_matrix_is_better() -> None:
    random = np.random.default_rng(7)
    factors = random.normal(size=(3, 2, 2))
    spreads = Spreads(np.array([5.0, 9.0, 2.0]), np.zeros((3, 2)),
                      factors @ factors.swapaxes(1, 2) + 0.1 * np.eye(2))

    def cost(entries: np.ndarray) -> float:
        matrix = entries.reshape(2, 2)
        return -log_likelihood(spreads, matrix, variances_in(spreads, matrix, 1e-9)) / 16

    best = min(minimize(cost, random.normal(size=4), method="Nelder-Mead",
                        options={"maxiter": 4000, "xatol": 1e-9, "fatol": 1e-12}).fun
               for _ in range(5))
    np.testing.assert_allclose(-semi_tied(spreads, 200)[1][-1], best, rtol=1e-6)


def test_spreads_are_those_of_each_gaussians_share() -> None:
    # Two Gaussians so far apart that each frame is in one; the third state has no frames.
    frames = np.array([[0.0, 0], [2, 2], [100, 0], [100, 4], [100, 8], [7, 7]])
    mixtures = Mixtures(np.array([0.5, 0.5, 1.0]), np.array([[1.0, 1], [100, 4], [5, 6]]),
                        np.full((3, 2), 4.0), np.array([0, 2, 3]))
    found = Spreads.of(mixtures, frames, np.array([0, 0, 0, 0, 0, -1]))
    np.testing.assert_allclose(found.occupancy, [2, 3, 0])
    np.testing.assert_allclose(found.means, [[1, 1], [100, 4], [5, 6]], atol=1e-9)
    np.testing.assert_allclose(found.covariances[0], [[1, 1], [1, 1]], atol=1e-9)
    np.testing.assert_allclose(found.covariances[1], [[0, 0], [0, 32 / 3]], atol=1e-9)
    np.testing.assert_allclose(found.covariances[2], 4 * np.eye(2))
