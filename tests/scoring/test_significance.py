"""The bootstrap against its exact distribution, which few items allow to be enumerated."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.scoring import significance
from pipeline.scoring.scores import ItemStatistics, Metric, perplexity, ratio
from pipeline.scoring.significance import intervals, paired_p_values, resampled_scores

WER = Metric("lower", ("errors", "words"), ratio, "word error rate")
ACCURACY = Metric("higher", ("errors", "words"), ratio, "share")
RESAMPLES = 40_000


def items(errors: Sequence[float], words: Sequence[float]) -> ItemStatistics:
    return ItemStatistics([f"u{i}" for i in range(len(errors))],
                          {"errors": np.array(errors, float), "words": np.array(words, float)})


def exact_scores(statistics: ItemStatistics, metric: Metric) -> NDArray[np.float64]:
    """The metric of every one of the n^n equally likely resamples."""
    table = statistics.table(metric.columns)
    draws = itertools.product(range(len(table)), repeat=len(table))
    return np.array([float(metric.value(table[list(draw)].sum(axis=0))) for draw in draws])


@pytest.mark.parametrize(("errors", "words"), [([1, 3], [10, 4]), ([0, 2, 5], [3, 8, 20])])
def test_resamples_have_the_exact_distribution(errors: list[int], words: list[int]) -> None:
    statistics = items(errors, words)
    exact = np.round(exact_scores(statistics, WER), 12)
    found = np.round(resampled_scores([(statistics, WER)], RESAMPLES, 1)[0], 12)
    assert set(found) == set(exact)
    for score in set(exact):
        share = np.mean(exact == score)
        deviation = math.sqrt(share * (1 - share) / RESAMPLES)
        assert abs(np.mean(found == score) - share) < 5 * deviation


def test_intervals_are_percentiles_of_the_exact_distribution() -> None:
    statistics = items([0, 2, 6], [3, 8, 20])
    # 3.7 % of the resamples are thrice the best item, 3.7 % thrice the worst: the bounds lie there.
    exact = exact_scores(statistics, WER)
    assert np.mean(exact == exact.min()) == np.mean(exact == exact.max()) == 1 / 27
    assert intervals(statistics, {"wer": WER}, RESAMPLES, 1) == {"wer": (0.0, pytest.approx(0.3))}
    # Four items make that 1/256, so the bounds lie further in.
    four = items([0, 2, 6, 30], [3, 8, 20, 10])
    low, high = np.quantile(exact_scores(four, WER), [0.025, 0.975], method="inverted_cdf")
    assert low > 0 and high < 3
    assert intervals(four, {"wer": WER}, RESAMPLES, 1) == {
        "wer": (pytest.approx(low), pytest.approx(high))}


def test_a_metric_is_resampled_as_what_it_is_and_not_as_a_mean_over_items() -> None:
    """Corpus WER of (1/10, 3/4): resamples give 2/20, 4/14 and 6/8, never (0.1 + 0.75) / 2."""
    found = resampled_scores([(items([1, 3], [10, 4]), WER)], 500, 1)
    assert set(np.round(found[0], 12)) == {0.1, round(4 / 14, 12), 0.75}


def test_p_values_equal_enumeration() -> None:
    better, worse = items([1, 4, 2], [10, 10, 10]), items([3, 2, 5], [10, 10, 10])
    gain = exact_scores(worse, WER) - exact_scores(better, WER)
    p_claimed, p_opposite = paired_p_values(better, worse, WER, RESAMPLES, 3)
    for found, exact in ((p_claimed, np.mean(gain <= 0)), (p_opposite, np.mean(gain >= 0))):
        assert found == pytest.approx(exact, abs=5 * math.sqrt(0.25 / RESAMPLES))
    # By hand: with equal lengths the gains of the items, +2, -2 and +3, simply add up.
    gains = [sum((2, -2, 3)[i] for i in draw) for draw in itertools.product(range(3), repeat=3)]
    assert np.mean(np.array(gains) <= 0) == pytest.approx(np.mean(gain <= 1e-12))


def test_identical_systems_are_undecided_in_both_directions() -> None:
    system = items([1, 4, 2, 0], [10, 12, 9, 7])
    assert paired_p_values(system, system, WER, 1000, 0) == (1.0, 1.0)


def test_a_win_on_every_item_has_the_smallest_p_value() -> None:
    better, worse = items([1, 1, 1], [10, 10, 10]), items([2, 2, 2], [10, 10, 10])
    assert paired_p_values(better, worse, WER, 999, 0) == (0.001, 1.0)
    assert paired_p_values(worse, better, WER, 999, 0) == (1.0, 0.001)
    assert paired_p_values(worse, better, ACCURACY, 999, 0) == (0.001, 1.0)


def test_systems_are_compared_on_the_same_resampled_items() -> None:
    """Items differ a hundredfold and the gain is the same on each: only pairing can see it."""
    errors = np.arange(1, 51) * 100.0
    better, worse = items(errors, np.ones(50)), items(errors + 1, np.ones(50))
    scores = resampled_scores([(better, WER), (worse, WER)], 500, 7)
    np.testing.assert_allclose(scores[1] - scores[0], 1.0)
    assert scores[0].std() > 100


def test_items_that_do_not_match_are_refused() -> None:
    first, second = items([1, 2], [3, 4]), items([1, 2], [3, 4])
    other = ItemStatistics(["u1", "u0"], second.columns)
    with pytest.raises(ValueError, match="same items in the same order"):
        paired_p_values(first, other, WER, 100, 0)
    with pytest.raises(ValueError, match="no items"):
        intervals(items([], []), {"wer": WER}, 100, 0)


def test_the_seed_alone_decides_and_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    statistics = items(range(1, 21), [30] * 20)
    whole = resampled_scores([(statistics, WER)], 1000, 5)
    monkeypatch.setattr(significance, "_CHUNK_CELLS", 7 * 20)
    np.testing.assert_array_equal(resampled_scores([(statistics, WER)], 1000, 5), whole)
    assert not np.array_equal(resampled_scores([(statistics, WER)], 1000, 6), whole)


def test_a_subset_metric_ignores_resamples_without_an_item_of_the_subset() -> None:
    """One item of two has words: a quarter of the resamples draw it never and give NaN."""
    statistics = items([2, 0], [8, 0])
    found = resampled_scores([(statistics, WER)], 4000, 2)[0]
    assert np.mean(np.isnan(found)) == pytest.approx(0.25, abs=0.04)
    assert intervals(statistics, {"wer": WER}, 4000, 2) == {"wer": (0.25, 0.25)}
    # A resample that cannot be scored is no win for either side.
    assert paired_p_values(items([1, 0], [8, 0]), statistics, WER, 4000, 2) == (
        pytest.approx(0.25, abs=0.04), 1.0)
    assert paired_p_values(statistics, items([1, 0], [8, 0]), WER, 4000, 2) == (
        1.0, pytest.approx(0.25, abs=0.04))


def test_perplexity_is_resampled_as_an_exponential_of_a_ratio() -> None:
    statistics = items([math.log(2), math.log(8)], [1, 1])
    metric = Metric("lower", ("errors", "words"), perplexity, "")
    assert set(np.round(resampled_scores([(statistics, metric)], 200, 0)[0], 9)) == {2, 4, 8}
