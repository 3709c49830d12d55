"""The test behind claims: its parts by hand, its error rates by simulation."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests

from pipeline.scoring.effects import Effect, Term, measure
from pipeline.scoring.scores import ItemStatistics, Metric, ratio
from tests.trials import trials

ACCURACY = Metric("higher", ("right", "items"), ratio, "share of right answers")
ERROR = Metric("lower", ("right", "items"), ratio, "share of wrong answers")
CLAIMS, CLUSTERS, RESAMPLES = 74, 40, 100


def statistics(values: NDArray[np.float64], groups: Sequence[str] = ()) -> ItemStatistics:
    """One item for each value, whose mean is the score."""
    return ItemStatistics([f"i{number}" for number in range(len(values))],
                          {"right": np.array(values, float), "items": np.ones(len(values))},
                          list(groups))


def term(weight: float, training: str, *trainings: list[float], fixed: bool = False,
         groups: Sequence[str] = ()) -> Term:
    return Term(weight, training,
                [statistics(np.array(values), groups) for values in trainings], fixed)


def alone(items: int) -> list[str]:
    return [str(number) for number in range(items)]


def test_seeds_variances_are_added_by_hand() -> None:
    # Scores of A: 0.50 and 0.70 (variance 0.02); of B: 0.30, 0.35, 0.40 (variance 0.0025).
    a = term(1, "a", [0.5] * 6, [0.7] * 6)
    b = term(-1, "b", [0.30] * 6, [0.35] * 6, [0.40] * 6)
    found = measure([a, b], ACCURACY, 500, 1)
    assert found.value == pytest.approx(0.6 - 0.35)
    assert found.seed_variance == pytest.approx(0.02 / 2 + 0.0025 / 3)
    assert found.cluster_variance == pytest.approx(0, abs=1e-20)
    assert (found.seeds, found.clusters) == (2, 6)
    t = 0.25 / math.sqrt(0.02 / 2 + 0.0025 / 3)
    # Student's t with one degree of freedom is Cauchy's distribution.
    assert found.p == pytest.approx(1 - 2 * math.atan(t) / math.pi)


def test_lower_scores_are_the_better_ones_where_the_metric_says_so() -> None:
    a, b = term(1, "a", [0.1] * 5, [0.2] * 5), term(-1, "b", [0.5] * 5, [0.5] * 5)
    assert measure([a, b], ERROR, 50, 1).value == pytest.approx(0.35)
    assert measure([a, b], ACCURACY, 50, 1).value == pytest.approx(-0.35)


def test_items_variance_is_that_of_the_mean_difference() -> None:
    generator = np.random.default_rng(3)
    x, y = generator.normal(size=(2, 200))
    a, b = term(1, "a", list(x), fixed=True), term(-1, "b", list(y), fixed=True)
    found = measure([a, b], ACCURACY, 20_000, 1)
    assert found.seeds is None and not found.one_training
    assert found.cluster_variance == pytest.approx((x - y).var() / 200, rel=0.05)
    # Two deterministic rows are compared as the paired t test compares them.
    assert found.p == pytest.approx(stats.ttest_rel(x, y).pvalue, rel=0.1)


def test_items_of_one_cluster_move_together() -> None:
    """Each of 20 speakers says ten sentences, all equally hard: ten times the variance."""
    generator = np.random.default_rng(4)
    difference = np.repeat(generator.normal(size=20), 10)
    speakers = [f"s{number // 10}" for number in range(200)]
    by_items, by_speakers = (
        measure([term(1, "a", list(difference), fixed=True, groups=groups),
                 term(-1, "b", [0.0] * 200, fixed=True, groups=groups)], ACCURACY, 20_000, 1)
        for groups in ((), speakers))
    assert (by_items.clusters, by_speakers.clusters) == (200, 20)
    assert by_speakers.cluster_variance == pytest.approx(10 * by_items.cluster_variance, rel=0.1)


def test_two_answers_of_one_training_are_compared_within_it() -> None:
    """Seeds move both by 20 points, and their difference by none."""
    beam = term(1, "net", [0.9] * 5, [0.7] * 5, [0.5] * 5)
    greedy = term(-1, "net", [0.8] * 5, [0.6] * 5, [0.4] * 5)
    within = measure([beam, greedy], ACCURACY, 50, 1)
    assert within.value == pytest.approx(0.1)
    assert within.seed_variance == pytest.approx(0, abs=1e-20)
    other = Term(-1, "other", greedy.trainings)
    assert measure([beam, other], ACCURACY, 50, 1).seed_variance == pytest.approx(
        2 * 0.04 / 3)


def test_a_contrast_is_a_difference_of_differences() -> None:
    rows = [term(1, "a", [0.9] * 5), term(-1, "b", [0.6] * 5),
            term(-1, "c", [0.5] * 5), term(1, "d", [0.4] * 5)]
    assert measure(rows, ACCURACY, 50, 1).value == pytest.approx(0.3 - 0.1)


def test_a_row_trained_once_says_nothing_of_seeds() -> None:
    several, once = term(1, "a", [0.5] * 5, [0.6] * 5), term(-1, "b", [0.1] * 5)
    assert measure([several, once], ACCURACY, 50, 1).one_training
    counts = term(-1, "b", [0.1] * 5, fixed=True)
    found = measure([several, counts], ACCURACY, 50, 1)
    assert not found.one_training and found.seeds == 2


def test_clusters_without_items_for_the_metric_are_no_evidence() -> None:
    """Long sentences are rare: a resample without one would have no score."""
    about = ItemStatistics(alone(6), {"right": np.array([1.0, 1, 0, 0, 0, 0]),
                                      "items": np.array([1.0, 1, 1, 0, 0, 0])})
    none = ItemStatistics(alone(6), {"right": np.zeros(6),
                                     "items": np.array([1.0, 1, 1, 0, 0, 0])})
    found = measure([Term(1, "a", [about], True), Term(-1, "b", [none], True)], ACCURACY,
                    300, 1)
    assert found.clusters == 3
    assert math.isfinite(found.cluster_variance)


def test_without_any_variance_p_is_a_sign_tests() -> None:
    a, b = term(1, "a", [1.0] * 6, fixed=True), term(-1, "b", [0.0] * 6, fixed=True)
    found = measure([a, b], ACCURACY, 50, 1)
    assert found.p == stats.binomtest(6, 6).pvalue == 2 / 64
    assert measure([a, Term(-1, "b", a.trainings, True)], ACCURACY, 50, 1).p == 1


def test_interval_and_detectable_effect_follow_students_t() -> None:
    effect = Effect(value=3.0, seed_variance=0.0, cluster_variance=1.0, seeds=None, clusters=31)
    # A table of Student's t with 30 degrees of freedom: 2.042 (two-sided 5 %), 0.854 (80 %).
    assert effect.interval() == (pytest.approx(3 - 2.042, abs=1e-3),
                                 pytest.approx(3 + 2.042, abs=1e-3))
    assert effect.detectable(0.05) == pytest.approx(2.042 + 0.854, abs=1e-3)


@pytest.mark.parametrize("terms", [
    [term(1, "a", [1.0, 0.0]), term(-1, "b", [1.0])],
    [term(1, "a", [1.0, 0.0]), term(1, "b", [1.0, 0.0])],
    [term(1, "a", [1.0, 0.0], [0.0, 0.0]), term(-1, "a", [1.0, 0.0])]])
def test_what_cannot_be_compared_is_refused(terms: list[Term]) -> None:
    with pytest.raises(ValueError):
        measure(terms, ACCURACY, 10, 1)


def rows(generator: np.random.Generator, trainings: int, seed_deviation: float,
         shared: NDArray[np.float64], own_deviation: float) -> list[ItemStatistics]:
    """Trainings of one row: luck of the seed, items that are hard for all, and noise of its own."""
    return [statistics(generator.normal(0, seed_deviation) + shared
                       + generator.normal(0, own_deviation, len(shared)))
            for _ in range(trainings)]


@pytest.mark.parametrize(("seeds", "deviations", "items"), [
    (5, (1.0, 1.0), 0.05), (3, (1.0, 1.0), 0.05), (5, (0.05, 0.05), 1.0), (3, (0.2, 0.2), 1.0),
    (5, (1.0, 0.1), 0.3), (3, (1.0, 0.1), 0.3)])
def test_suites_without_any_effect_decide_nothing(seeds: int, deviations: tuple[float, float],
                                                  items: float) -> None:
    generator = np.random.default_rng(12)
    suites = trials(12, 600)
    decided = 0
    for _ in range(suites):
        p_values = []
        for _ in range(CLAIMS):
            shared = generator.normal(size=CLUSTERS)
            terms = [Term(weight, name, rows(generator, seeds, deviation, shared, items))
                     for weight, name, deviation in ((1, "a", deviations[0]),
                                                     (-1, "b", deviations[1]))]
            p_values.append(measure(terms, ACCURACY, RESAMPLES, 1).p)
        decided += bool(multipletests(p_values, method="holm")[0].any())
    # Five in a hundred, and three standard deviations of so many suites.
    assert decided <= suites * 0.05 + 3 * math.sqrt(suites * 0.05 * 0.95)


@pytest.mark.parametrize("effect, least", [(3.0, 0.8)])
def test_a_claim_alone_is_found_at_three_deviations(effect: float, least: float) -> None:
    generator = np.random.default_rng(13)
    found = []
    for _ in range(200):
        shared = generator.normal(size=CLUSTERS)
        a = rows(generator, 5, 1.0, shared + effect, 0.1)
        b = rows(generator, 5, 1.0, shared, 0.1)
        found.append(measure([Term(1, "a", a), Term(-1, "b", b)], ACCURACY,
                             RESAMPLES, 1).p < 0.05)
    assert np.mean(found) >= least
