"""Mixtures of Gaussians against scipy, scikit-learn and sums written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture

from pipeline.hmm.gmm import Mixtures
from pipeline.hmm.gmm_training import (
    Statistics,
    add_aligned,
    grown,
    maximised,
    shared_out,
    single_gaussians,
    variance_floor,
)


def some(random: np.random.Generator, counts: list[int], dimension: int) -> Mixtures:
    total = sum(counts)
    weights = np.concatenate([random.dirichlet(np.ones(count)) for count in counts])
    return Mixtures(weights, random.normal(0, 2, (total, dimension)),
                    random.uniform(0.3, 2, (total, dimension)), np.cumsum([0, *counts]))


@settings(max_examples=30)
@given(counts=st.lists(st.integers(1, 4), min_size=1, max_size=5), seed=st.integers(0, 10_000),
       shift=st.sampled_from([0.0, 1000.0]))
def test_densities_are_those_of_scipy(counts: list[int], seed: int, shift: float) -> None:
    random = np.random.default_rng(seed)
    mixtures = some(random, counts, 3)
    mixtures = Mixtures(mixtures.weights, mixtures.means + shift, mixtures.variances,
                        mixtures.offsets)
    frames = random.normal(shift, 2, (6, 3)).astype(np.float32)
    found = mixtures.log_densities(frames)
    for state, count in enumerate(counts):
        of_state = range(mixtures.offsets[state], mixtures.offsets[state] + count)
        expected = sum(mixtures.weights[g] * multivariate_normal(
            mixtures.means[g], np.diag(mixtures.variances[g])).pdf(frames.astype(np.float64))
            for g in of_state)
        np.testing.assert_allclose(found[:, state], np.log(expected), rtol=1e-7, atol=1e-7)
    chosen = random.permutation(len(counts))[: 1 + len(counts) // 2]
    np.testing.assert_allclose(mixtures.log_densities(frames, chosen), found[:, chosen], rtol=1e-9)


def test_frames_far_from_every_gaussian_still_have_a_density() -> None:
    mixtures = Mixtures(np.array([0.5, 0.5]), np.array([[0.0], [1.0]]), np.full((2, 1), 0.01),
                        np.array([0, 2]))
    found = mixtures.log_densities(np.array([[101.0]]))[0, 0]
    # The nearer one decides: log(1/2) - log(2 pi 0.01) / 2 - 100^2 / 0.02.
    assert found == pytest.approx(np.log(0.5) - 0.5 * np.log(0.02 * np.pi) - 500_000, rel=1e-12)


@settings(max_examples=25)
@given(counts=st.lists(st.integers(1, 4), min_size=1, max_size=3), seed=st.integers(0, 10_000))
def test_a_pass_never_lowers_the_likelihood(counts: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    mixtures = some(random, counts, 2)
    frames = random.normal(0, 1, (60, 2)) * random.choice([0.3, 2.0], (60, 1))
    states = random.integers(-1, len(counts), 60)
    before = -np.inf
    for _ in range(6):
        statistics = Statistics.none(mixtures)
        now = add_aligned(statistics, mixtures, frames, states)
        assert now >= before - 1e-9
        before = now
        mixtures = maximised(mixtures, statistics, np.full(2, 1e-4), 0.0)


def test_two_passes_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(3)
    frames = np.concatenate([random.normal(-2, 1, (80, 2)), random.normal(1, 0.5, (50, 2))])
    start = some(random, [3], 2)
    peer = GaussianMixture(3, covariance_type="diag", max_iter=2, tol=0, reg_covar=0,
                           weights_init=start.weights, means_init=start.means,
                           precisions_init=1 / start.variances)
    with pytest.warns(match="did not converge"):
        peer.fit(frames)
    found = start
    for _ in range(2):
        statistics = Statistics.none(found)
        add_aligned(statistics, found, frames, np.zeros(130, np.int64))
        found = maximised(found, statistics, np.zeros(2), 0.0)
    np.testing.assert_allclose(found.weights, peer.weights_, rtol=1e-8)
    np.testing.assert_allclose(found.means, peer.means_, rtol=1e-8)
    np.testing.assert_allclose(found.variances, peer.covariances_, rtol=1e-8)


def test_soft_states_count_by_their_posteriors() -> None:
    # Two frames, 1 and 3, in state 0 by 1/4 and 1, in state 1 by 3/4 and not at all.
    mixtures = single_gaussians(np.array([[0.0], [1.0]]), np.array([0, 1]), 2, np.ones(1))
    statistics = Statistics.none(mixtures)
    statistics.add(mixtures, np.array([[1.0], [3.0]]), np.array([1, 0]),
                   np.array([[0.75, 0.25], [0.0, 1.0]]))
    assert statistics.occupancy == pytest.approx([1.25, 0.75])
    assert statistics.first[:, 0] == pytest.approx([3.25, 0.75])
    assert statistics.second[:, 0] == pytest.approx([9.25, 0.75])
    assert statistics.of_states(mixtures) == pytest.approx([1.25, 0.75])


def test_single_gaussians_have_the_moments_of_their_frames() -> None:
    frames = np.array([[1.0], [3.0], [10.0], [99.0]])
    found = single_gaussians(frames, np.array([0, 0, 2, -1]), 3, np.array([0.5]))
    # State 1 is of all three frames that are somewhere; a single frame has the floor's variance.
    assert found.means[:, 0] == pytest.approx([2.0, 14 / 3, 10.0])
    assert found.variances[:, 0] == pytest.approx([1.0, 110 / 3 - (14 / 3) ** 2, 0.5])
    assert found.counts.tolist() == [1, 1, 1] and found.weights.tolist() == [1.0] * 3


def test_the_floor_is_a_share_of_the_variance_of_all_frames() -> None:
    assert variance_floor(np.array([[0.0, 0.0], [2.0, 20.0]]), 0.1) == pytest.approx([0.1, 10.0])


def test_rare_gaussians_go_but_the_best_of_a_state_stays() -> None:
    mixtures = Mixtures(np.array([0.5, 0.3, 0.2, 0.4, 0.6]), np.arange(5.0)[:, None],
                        np.ones((5, 1)), np.array([0, 3, 5]))
    statistics = Statistics(np.array([6.0, 1.0, 2.0, 0.5, 0.5]),
                            np.array([[12.0], [9.0], [9.0], [9.0], [9.0]]),
                            np.array([[30.0], [9.0], [50.0], [9.0], [9.0]]))
    found = maximised(mixtures, statistics, np.array([0.01]), 2.0)
    # In state 1 both have too few; the first of equals stays, with its old mean and variance.
    assert found.offsets.tolist() == [0, 2, 3]
    assert found.weights == pytest.approx([0.75, 0.25, 1.0])
    assert found.means[:, 0] == pytest.approx([2.0, 4.5, 3.0])
    assert found.variances[:, 0] == pytest.approx([1.0, 25 - 4.5 ** 2, 1.0])


def test_gaussians_are_shared_out_by_a_power_of_how_frequent_states_are() -> None:
    # By the square root shares are 8, 4, 1 and 0. The fourth to seventh Gaussian go where the share
    # of each is most: 8, then 4 and 4 (of equals the first), then 8/3 in state 0.
    occupancy = np.array([64.0, 16.0, 1.0, 0.0])
    assert shared_out(occupancy, 8, 0.0, 0.5).tolist() == [4, 2, 1, 1]
    # Each must keep more than 20 frames: state 0 may have three, and nobody else a second.
    assert shared_out(occupancy, 8, 20.0, 0.5).tolist() == [3, 1, 1, 1]
    assert shared_out(np.array([9.0, 9.0]), 3, 0.0).tolist() == [2, 1]


def test_splitting_halves_the_heaviest_and_moves_both_apart() -> None:
    mixtures = Mixtures(np.array([0.25, 0.75, 1.0]), np.array([[0.0], [10.0], [5.0]]),
                        np.array([[1.0], [4.0], [9.0]]), np.array([0, 2, 3]))
    found = grown(mixtures, np.array([3, 1]))
    assert found.offsets.tolist() == [0, 3, 4]
    assert found.weights == pytest.approx([0.25, 0.375, 0.375, 1.0])
    assert found.means[:, 0] == pytest.approx([0.0, 9.6, 10.4, 5.0])
    assert found.variances[:, 0] == pytest.approx([1.0, 4.0, 4.0, 9.0])
    assert mixtures.means[:, 0].tolist() == [0.0, 10.0, 5.0]
    assert grown(found, np.array([1, 1])).counts.tolist() == [3, 1]


def test_a_split_mixture_grows_on_to_what_the_frames_are() -> None:
    random = np.random.default_rng(5)
    frames = np.concatenate([random.normal(-3, 1, (300, 1)), random.normal(3, 1, (300, 1))])
    states = np.zeros(600, np.int64)
    found = grown(single_gaussians(frames, states, 1, np.array([0.1])), np.array([2]))
    for _ in range(30):
        statistics = Statistics.none(found)
        add_aligned(statistics, found, frames, states)
        found = maximised(found, statistics, np.array([0.1]), 5.0)
    np.testing.assert_allclose(found.means[:, 0], [-3, 3], atol=0.2)
    np.testing.assert_allclose(found.weights, 0.5, atol=0.03)
