"""The test behind claims: its parts by hand, its error rates by simulation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from pipeline.scoring.effects import Effect, Resampled, holm
from pipeline.scoring.scores import ItemStatistics, Metric, ratio
from tests.trials import trials

ACCURACY = Metric("higher", ("right", "items"), ratio, "share of right answers")
ERROR = Metric("lower", ("right", "items"), ratio, "share of wrong answers")


@dataclass(frozen=True)
class Term:
    """A row and its weight in an effect."""

    weight: float
    system: str
    statistics: Sequence[ItemStatistics]
    deterministic: bool = False


def measure(terms: Sequence[Term], metric: Metric, resamples: int) -> Effect:
    rows = {str(number): term for number, term in enumerate(terms)}
    return Resampled.of(rows, metric, resamples, 1).effect(
        {name: term.weight for name, term in rows.items()})


def statistics(values: NDArray[np.float64], groups: Sequence[str] = ()) -> ItemStatistics:
    """One item for each value, whose mean is the score."""
    return ItemStatistics([f"i{number}" for number in range(len(values))],
                          {"right": np.array(values, float), "items": np.ones(len(values))},
                          list(groups))


def term(weight: float, system: str, *trainings: list[float], fixed: bool = False,
         groups: Sequence[str] = ()) -> Term:
    return Term(weight, system,
                [statistics(np.array(values), groups) for values in trainings], fixed)


def alone(items: int) -> list[str]:
    return [str(number) for number in range(items)]


def test_seeds_variances_are_added_by_hand() -> None:
    # Scores of A: 0.50 and 0.70 (variance 0.02); of B: 0.30, 0.35, 0.40 (variance 0.0025).
    a = term(1, "a", [0.5] * 6, [0.7] * 6)
    b = term(-1, "b", [0.30] * 6, [0.35] * 6, [0.40] * 6)
    found = measure([a, b], ACCURACY, 500)
    assert found.value == pytest.approx(0.6 - 0.35)
    assert found.seed_variance == pytest.approx(0.02 / 2 + 0.0025 / 3)
    assert found.cluster_variance == pytest.approx(0, abs=1e-20)
    assert (found.seeds, found.clusters) == (2, 6)
    t = 0.25 / math.sqrt(0.02 / 2 + 0.0025 / 3)
    # Student's t with one degree of freedom is Cauchy's distribution.
    assert found.p == pytest.approx(1 - 2 * math.atan(t) / math.pi)


def test_lower_scores_are_the_better_ones_where_the_metric_says_so() -> None:
    a, b = term(1, "a", [0.1] * 5, [0.2] * 5), term(-1, "b", [0.5] * 5, [0.5] * 5)
    assert measure([a, b], ERROR, 50).value == pytest.approx(0.35)
    assert measure([a, b], ACCURACY, 50).value == pytest.approx(-0.35)


def test_items_variance_is_that_of_the_mean_difference() -> None:
    generator = np.random.default_rng(3)
    x, y = generator.normal(size=(2, 200))
    a, b = term(1, "a", list(x), fixed=True), term(-1, "b", list(y), fixed=True)
    found = measure([a, b], ACCURACY, 20_000)
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
                 term(-1, "b", [0.0] * 200, fixed=True, groups=groups)], ACCURACY, 20_000)
        for groups in ((), speakers))
    assert (by_items.clusters, by_speakers.clusters) == (200, 20)
    assert by_speakers.cluster_variance == pytest.approx(10 * by_items.cluster_variance, rel=0.1)


def test_two_answers_of_one_training_are_compared_within_it() -> None:
    """Seeds move both by 20 points, and their difference by none."""
    beam = term(1, "net", [0.9] * 5, [0.7] * 5, [0.5] * 5)
    greedy = term(-1, "net", [0.8] * 5, [0.6] * 5, [0.4] * 5)
    within = measure([beam, greedy], ACCURACY, 50)
    assert within.value == pytest.approx(0.1)
    assert within.seed_variance == pytest.approx(0, abs=1e-20)
    other = replace(greedy, system="other")
    assert measure([beam, other], ACCURACY, 50).seed_variance == pytest.approx(
        2 * 0.04 / 3)


def test_a_contrast_is_a_difference_of_differences() -> None:
    rows = [term(1, "a", [0.9] * 5), term(-1, "b", [0.6] * 5),
            term(-1, "c", [0.5] * 5), term(1, "d", [0.4] * 5)]
    assert measure(rows, ACCURACY, 50).value == pytest.approx(0.3 - 0.1)


def test_a_row_trained_once_says_nothing_of_seeds() -> None:
    several, once = term(1, "a", [0.5] * 5, [0.6] * 5), term(-1, "b", [0.1] * 5)
    assert measure([several, once], ACCURACY, 50).one_training
    counts = term(-1, "b", [0.1] * 5, fixed=True)
    found = measure([several, counts], ACCURACY, 50)
    assert not found.one_training and found.seeds == 2


def test_clusters_without_items_for_the_metric_are_no_evidence() -> None:
    """Long sentences are rare: a resample without one would have no score."""
    counted = np.array([1.0] * 6 + [0.0] * 6)
    about = ItemStatistics(alone(12), {"right": np.eye(12)[0] + np.eye(12)[1], "items": counted})
    none = ItemStatistics(alone(12), {"right": np.zeros(12), "items": counted})
    found = measure([Term(1, "a", [about], True), Term(-1, "b", [none], True)], ACCURACY,
                    300)
    assert found.clusters == 6
    assert found.cluster_variance == pytest.approx(found.clusters / 5 * (1 / 3) * (2 / 3) / 6,
                                                   rel=0.3)


def test_without_any_variance_p_is_a_sign_tests() -> None:
    a, b = term(1, "a", [1.0] * 6, fixed=True), term(-1, "b", [0.0] * 6, fixed=True)
    found = measure([a, b], ACCURACY, 50)
    assert found.p == stats.binomtest(6, 6).pvalue == 2 / 64
    assert measure([a, replace(a, weight=-1)], ACCURACY, 50).p == 1


def test_interval_and_detectable_effect_follow_students_t() -> None:
    effect = Effect(value=3.0, seed_variance=0.0, cluster_variance=1.0, seeds=None, clusters=31)
    # A table of Student's t with 30 degrees of freedom: 2.042 (two-sided 5 %), 0.854 (80 %).
    assert effect.interval() == (pytest.approx(3 - 2.042, abs=1e-3),
                                 pytest.approx(3 + 2.042, abs=1e-3))
    assert effect.detectable(0.05) == pytest.approx(2.042 + 0.854, abs=5e-3)


def test_the_detectable_effect_is_found_in_four_of_five_repetitions() -> None:
    """With few seeds the sum of two quantiles would be found in two of three."""
    effect = Effect(0.0, 1.0, 0.1, seeds=5, clusters=20)
    generator, level = np.random.default_rng(5), 0.05 / 74
    size = effect.detectable(level)
    found = [replace(effect, value=size + math.sqrt(1.1) * generator.normal(),
                     seed_variance=generator.chisquare(4) / 4,
                     cluster_variance=0.1 * generator.chisquare(19) / 19).p <= level
             for _ in range(2000)]
    assert np.mean(found) == pytest.approx(0.8, abs=4 * math.sqrt(0.16 / 2000))


@pytest.mark.parametrize("clusters", [5, 12])
def test_few_clusters_vary_as_much_as_test_sets_would(clusters: int) -> None:
    """For a mean, the bootstrap's own variance is (n - 1)/n of the sample's."""
    values = np.random.default_rng(6).normal(size=clusters)
    found = measure([term(1, "a", list(values), fixed=True),
                     term(-1, "b", [0.0] * clusters, fixed=True)], ACCURACY, 40_000)
    assert found.cluster_variance == pytest.approx(values.var(ddof=1) / clusters, rel=0.03)


def test_with_four_clusters_nothing_can_be_tested() -> None:
    four = measure([term(1, "a", [1.0, 0.9, 1.0, 0.9], fixed=True),
                    term(-1, "b", [0.0] * 4, fixed=True)], ACCURACY, 50)
    assert (four.clusters, four.testable, four.p) == (4, False, 1.0)
    assert four.interval() == (-math.inf, math.inf) and four.detectable(0.05) == math.inf
    five = measure([term(1, "a", [1.0, 0.9, 1.0, 0.9, 1.0], fixed=True),
                    term(-1, "b", [0.0] * 5, fixed=True)], ACCURACY, 50)
    assert five.testable and five.p < 0.001


def test_resamples_without_a_score_are_left_out_while_they_are_few() -> None:
    """A score that needs more than its rarest cluster: of n clusters, (1 - 1/n)^n lack it."""
    needs = Metric("higher", ("right", "rare"), lambda sums: np.where(
        sums[..., 1] > 0, sums[..., 0], np.nan), "right answers")

    def found(rare: int) -> Effect:
        values = np.arange(12.0)
        a, b = (ItemStatistics(alone(12), {"right": own, "rare": np.arange(12.0) < rare})
                for own in (values + 1, np.ones(12)))
        return measure([Term(1, "a", [a], True), Term(-1, "b", [b], True)], needs, 400)

    assert math.isfinite(found(6).cluster_variance)  # 0.02 % lack it
    assert (found(1).cluster_variance, found(1).p) == (math.inf, 1.0)  # 35 % do


def test_equal_scores_do_not_vary_by_their_rounding() -> None:
    a, b = term(1, "a", *[[0.7] * 7] * 5), term(-1, "b", *[[0.1] * 7] * 5)
    found = measure([a, b], ACCURACY, 50)
    assert (found.seed_variance, found.cluster_variance) == (0, 0)
    assert found.p == stats.binomtest(7, 7).pvalue


def test_wins_are_the_pairs_of_seeds_in_which_a_is_better() -> None:
    rows = {"a": term(1, "a", *[[score] * 5 for score in (1.0, 0.5, 0.2)]),
            "b": term(-1, "b", *[[score] * 5 for score in (0.5, 0.3)]),
            "c": term(-1, "a", *[[score] * 5 for score in (0.9, 0.6, 0.2)])}
    resampled = Resampled.of(rows, ACCURACY, 10, 1)
    # 1.0 beats both of b, 0.5 beats one and ties with the other, 0.2 beats none.
    assert resampled.wins({"a": 1, "b": -1}) == pytest.approx(3.5 / 6)
    # Within each training of their system: won, lost, tied.
    assert resampled.wins({"a": 1, "c": -1}) == 0.5


@pytest.mark.parametrize("terms", [
    [term(1, "a", [1.0, 0.0]), term(-1, "b", [1.0])],
    [term(1, "a", [1.0, 0.0]), term(1, "b", [1.0, 0.0])],
    [term(1, "a", [1.0, 0.0], [0.0, 0.0]), term(-1, "a", [1.0, 0.0])]])
def test_what_cannot_be_compared_is_refused(terms: list[Term]) -> None:
    with pytest.raises(ValueError):
        measure(terms, ACCURACY, 10)


@dataclass(frozen=True)
class Luck:
    """What moves the rows of simulated claims: deviations over seeds, over items, and both."""

    seeds: int
    of_a: float = 1.0
    of_b: float = 1.0
    items: float = 0.05
    clusters: int = 40
    together: bool = False

    def rows(self, generator: np.random.Generator, claims: int, effect: float) -> dict[str, Term]:
        """Rows a and b of each claim, a better by `effect`; seeds move both where `together`."""
        found = {}
        for claim in range(claims):
            hard = generator.normal(size=self.clusters)
            both = generator.normal(size=self.seeds)
            for name, weight, deviation in (("a", 1, self.of_a), ("b", -1, self.of_b)):
                moved = deviation * generator.normal(size=self.seeds) + 3 * both * self.together
                system = f"{claim}" if self.together else f"{claim}{name}"
                found[f"{claim}{name}"] = Term(weight, system, [statistics(
                    hard + luck + effect * (weight > 0)
                    + generator.normal(0, self.items, self.clusters)) for luck in moved])
        return found

    def p_values(self, generator: np.random.Generator, claims: int,
                 effect: float = 0.0) -> list[float]:
        rows = self.rows(generator, claims, effect)
        resampled = Resampled.of(rows, ACCURACY, 200, 1)
        return [resampled.effect({f"{claim}a": 1, f"{claim}b": -1}).p for claim in range(claims)]


LUCK = {
    "five seeds decide": Luck(5), "three seeds decide": Luck(3),
    "items decide, five seeds": Luck(5, 0.05, 0.05, 1.0),
    "items decide, three seeds": Luck(3, 0.05, 0.05, 1.0),
    "both, three seeds": Luck(3, 0.2, 0.2, 1.0),
    "unequal, five seeds": Luck(5, 1.0, 0.1, 0.3), "unequal, three seeds": Luck(3, 1.0, 0.1, 0.3),
    "answers of one training, five seeds": Luck(5, 0.3, 0.3, 0.3, together=True),
    "answers of one training, three seeds": Luck(3, 0.3, 0.3, 0.3, together=True),
    "eight clusters": Luck(5, 0.05, 0.05, 1.0, clusters=8),
}
CLAIMS = 74


@pytest.mark.fuzz
@pytest.mark.parametrize("luck", LUCK.values(), ids=LUCK)
def test_suites_without_any_effect_decide_nothing(luck: Luck) -> None:
    generator = np.random.default_rng(12)
    suites = trials(20, 1000)
    # Holm decides something where the smallest p is as small as its first step asks.
    decided = sum(min(luck.p_values(generator, CLAIMS)) <= 0.05 / CLAIMS for _ in range(suites))
    print(f"{decided} of {suites} suites without any effect decide something")
    # Five in a hundred, and three standard deviations of so many suites.
    assert decided <= suites * 0.05 + 3 * math.sqrt(suites * 0.05 * 0.95)


@pytest.mark.fuzz
@pytest.mark.parametrize(("luck", "least"), [(Luck(5, items=0.1), 0.8), (Luck(3, items=0.1), 0.3)])
def test_a_claim_alone_is_found_at_three_deviations(luck: Luck, least: float) -> None:
    found = np.array(luck.p_values(np.random.default_rng(13), trials(200, 5000), 3.0)) < 0.05
    print(f"{found.mean():.1%} of single claims are found at three deviations")
    assert found.mean() >= least


@pytest.mark.fuzz
@pytest.mark.parametrize(("luck", "least"), [(Luck(5, items=0.1), 0.6), (Luck(3, items=0.1), 0.0)])
def test_power_in_a_suite_is_that_of_holms_first_step_or_more(luck: Luck, least: float) -> None:
    """Of 74 claims half are true, at eight deviations between seeds."""
    generator, found = np.random.default_rng(14), []
    for _ in range(trials(3, 100)):
        p_values = [*luck.p_values(generator, CLAIMS // 2, 8.0),
                    *luck.p_values(generator, CLAIMS // 2)]
        found.append(np.mean(np.array(holm(p_values))[:CLAIMS // 2] < 0.05))
    print(f"{np.mean(found):.1%} of true claims are found after Holm at eight deviations")
    assert np.mean(found) >= least
