"""Transforms of speakers against closed forms, a numerical optimum, and speakers made by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from pipeline.hmm.fmllr import (
    FmllrStatistics,
    applied,
    estimated,
    log_volume,
    objective,
    unchanged,
)
from pipeline.hmm.gmm import Mixtures
from pipeline.hmm.speaker_adaptation import (
    Adaptation,
    adapted,
    adaptive_training,
    speaker_transforms,
)
from pipeline.hmm.training import Schedule, train
from pipeline.hmm.utterances import AcousticModel, Utterances, align
from tests.hmm.test_training import CENTRES, TIED, drawn


def statistics_of(mixtures: Mixtures, frames: np.ndarray, states: np.ndarray) -> FmllrStatistics:
    return FmllrStatistics.aligned(mixtures, frames, states, np.ones(len(frames)), frames)


def test_of_one_gaussian_scale_and_offset_have_a_closed_form() -> None:
    # a x + b makes frames of mean 5 and variance 4 those of N(3, 9): a = 3/2, b = 3 - 5 a.
    mixtures = Mixtures(np.ones(1), np.array([[3.0]]), np.array([[9.0]]), np.array([0, 1]))
    frames = np.array([[3.0], [7.0], [3.0], [7.0]])
    found = estimated(statistics_of(mixtures, frames, np.zeros(4, np.int64)), 1)
    np.testing.assert_allclose(found, [[1.5, -4.5]], rtol=1e-9)
    assert log_volume(found) == pytest.approx(np.log(1.5))


def some_mixtures(random: np.random.Generator) -> Mixtures:
    return Mixtures(np.array([0.4, 0.6, 1.0, 1.0]), random.normal(0, 3, (4, 2)),
                    random.uniform(0.3, 2, (4, 2)), np.array([0, 2, 3, 4]))


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_no_other_transform_is_better(seed: int) -> None:
    random = np.random.default_rng(seed)
    mixtures = some_mixtures(random)
    # Not far from what the model says; else there are several optima, mirror images among them.
    states = random.integers(0, 3, 60)
    gaussians = np.where(states == 0, random.integers(0, 2, 60), states + 1)
    frames = random.normal(mixtures.means[gaussians], np.sqrt(mixtures.variances[gaussians]))
    frames = frames @ (np.eye(2) + random.uniform(-0.2, 0.2, (2, 2))) + random.normal(size=2)
    statistics = statistics_of(mixtures, frames, states)
    found = estimated(statistics, 1, sweeps=200)
    best = max(-minimize(lambda entries: -objective(entries.reshape(2, 3), statistics),
                         start.ravel(), method="BFGS").fun
               for start in (unchanged(2), found))
    assert objective(found, statistics) == pytest.approx(best, rel=1e-6)


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_no_sweep_lowers_the_objective_which_is_a_likelihood(seed: int) -> None:
    random = np.random.default_rng(seed)
    # One Gaussian a state: then the objective is the likelihood itself, up to a constant.
    mixtures = Mixtures(np.ones(3), random.normal(0, 3, (3, 2)), random.uniform(0.3, 2, (3, 2)),
                        np.arange(4))
    frames, states = random.normal(1, 2, (30, 2)), random.integers(0, 3, 30)
    statistics = statistics_of(mixtures, frames, states)
    values, likelihoods = [], []
    for sweeps in range(5):
        transform = estimated(statistics, 1, sweeps)
        values.append(objective(transform, statistics))
        densities = mixtures.log_densities(applied(transform, frames))
        likelihoods.append(densities[np.arange(30), states].sum() + 30 * log_volume(transform))
    assert all(after >= before - 1e-9 for before, after in zip(values, values[1:], strict=False))
    np.testing.assert_allclose(np.diff(values), np.diff(likelihoods), atol=1e-8)


def test_soft_and_aligned_statistics_agree_and_add_up() -> None:
    random = np.random.default_rng(4)
    mixtures = some_mixtures(random)
    frames, states = random.normal(0, 2, (3000, 2)), random.integers(0, 3, 3000)
    whole = statistics_of(mixtures, frames, states)
    soft = FmllrStatistics.of(mixtures, frames, np.arange(3), np.eye(3)[states], frames)
    parts = (statistics_of(mixtures, frames[:100], states[:100])
             + statistics_of(mixtures, frames[100:], states[100:]))
    for other in (soft, parts):
        assert other.frames == pytest.approx(3000)
        np.testing.assert_allclose(other.linear, whole.linear, rtol=1e-9)
        np.testing.assert_allclose(other.quadratic, whole.quadratic, rtol=1e-9)
    half = FmllrStatistics.aligned(mixtures, frames, states, np.full(3000, 0.5), frames)
    np.testing.assert_allclose(half.quadratic, whole.quadratic / 2, rtol=1e-9)


def test_too_few_or_constant_frames_change_nothing() -> None:
    mixtures = some_mixtures(np.random.default_rng(0))
    frames = np.random.default_rng(1).normal(size=(9, 2))
    states = np.zeros(9, np.int64)
    assert (estimated(statistics_of(mixtures, frames, states), 9.5) == unchanged(2)).all()
    assert (estimated(statistics_of(mixtures, frames, states), 8.5) != unchanged(2)).any()
    still = statistics_of(mixtures, np.zeros((9, 2)), states)
    assert (estimated(still, 1) == unchanged(2)).all()
    assert (estimated(FmllrStatistics.none(2), 0) == unchanged(2)).all()


def two_speakers() -> tuple[Utterances, np.ndarray, np.ndarray, AcousticModel]:
    """Utterances of two speakers, one of whom is heard askew; the true states and model."""
    utterances, states = drawn(40)
    speakers = np.arange(40) % 2
    askew = np.array([[1.3, 0.2, 1.0], [-0.1, 0.7, -2.0]])
    skewed = adapted(utterances, speakers, np.array([unchanged(2), askew]))
    truth = Mixtures(np.ones(8), CENTRES, np.full((8, 2), 0.49), np.arange(9))
    return skewed, speakers, states, AcousticModel(TIED, truth)


def test_a_speaker_heard_askew_is_set_right() -> None:
    utterances, speakers, states, model = two_speakers()
    found = speaker_transforms(model.mixtures, utterances, speakers, states,
                               Adaptation(frozenset(), least_frames=100))
    undone = np.linalg.inv([[1.3, 0.2, 1.0], [-0.1, 0.7, -2.0], [0, 0, 1]])[:2]
    np.testing.assert_allclose(found[0], unchanged(2), atol=0.1)
    np.testing.assert_allclose(found[1], undone, atol=0.15)


def test_silence_counts_by_its_weight() -> None:
    adaptation = Adaptation(frozenset({0, 1}), silence_weight=0.25)
    assert adaptation.weights(np.array([0, 5, -1, 1])).tolist() == [0.25, 1.0, 0.0, 0.25]
    utterances, speakers, states, model = two_speakers()
    quiet = np.isin(states, [0, 1])
    loud = replace(utterances, frames=np.where(quiet[:, None], 1e3, utterances.frames))
    for weight, same in ((0.0, True), (0.1, False)):
        found = [speaker_transforms(model.mixtures, each, speakers, states,
                                    Adaptation(frozenset({0, 1}), weight, 10.0))
                 for each in (utterances, loud)]
        assert np.allclose(*found) == same
    # Nobody has as many frames that are no silence.
    spoken = int((~quiet).sum())
    found = speaker_transforms(model.mixtures, utterances, speakers, states,
                               Adaptation(frozenset({0, 1}), 0.0, spoken))
    assert (found == unchanged(2)).all()


def test_adaptive_training_never_lowers_the_likelihood_and_ends_above_plain_training() -> None:
    utterances, speakers, states, model = two_speakers()
    schedule = Schedule(1, 8, 0, frozenset({1}), variance_share=1e-6, least_frames=0.0)
    adaptation = Adaptation(frozenset(), 1.0, 100)
    found = [(after, turn) for after, turn in
             adaptive_training(model, utterances, speakers, adaptation, 5, schedule)]
    values = [turn.passes[0].log_likelihood + turn.log_volume for _, turn in found]
    assert values == sorted(values)
    plain = Schedule(5, 8, 0, frozenset(range(1, 6)), variance_share=1e-6, least_frames=0.0)
    *_, (_, last) = train(model, utterances, plain)
    assert values[-1] > last.log_likelihood + 0.3
    after, turn = found[-1]
    heard = adapted(utterances, speakers, turn.transforms)
    assert (align(after, heard).states == states).mean() > 0.96
