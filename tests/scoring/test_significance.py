"""The bootstrap against its exact distribution, which few items allow to be enumerated."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.scoring import clusters
from pipeline.scoring.scores import ItemStatistics, Metric, perplexity, ratio
from pipeline.scoring.significance import clusters_about, intervals, resampled_scores

WER = Metric("lower", ("errors", "words"), ratio, "word error rate")
RESAMPLES = 40_000


def items(errors: Sequence[float], words: Sequence[float],
          groups: Sequence[str] = ()) -> ItemStatistics:
    return ItemStatistics([f"u{i}" for i in range(len(errors))],
                          {"errors": np.array(errors, float), "words": np.array(words, float)},
                          list(groups))


def resampled(statistics: ItemStatistics, metric: Metric, resamples: int,
              seed: int) -> NDArray[np.float64]:
    return resampled_scores(statistics, {"it": metric}, resamples, seed)["it"]


def exact_scores(statistics: ItemStatistics, metric: Metric) -> NDArray[np.float64]:
    """The metric of every one of the n^n equally likely resamples."""
    table = statistics.table(metric.columns)
    draws = itertools.product(range(len(table)), repeat=len(table))
    return np.array([float(metric.value(table[list(draw)].sum(axis=0))) for draw in draws])


@pytest.mark.parametrize(("errors", "words"), [([1, 3], [10, 4]), ([0, 2, 5], [3, 8, 20])])
def test_resamples_have_the_exact_distribution(errors: list[int], words: list[int]) -> None:
    statistics = items(errors, words)
    exact = np.round(exact_scores(statistics, WER), 12)
    found = np.round(resampled(statistics, WER, RESAMPLES, 1), 12)
    assert set(found) == set(exact)
    for score in set(exact):
        share = np.mean(exact == score)
        deviation = math.sqrt(share * (1 - share) / RESAMPLES)
        assert abs(np.mean(found == score) - share) < 5 * deviation


def test_intervals_are_percentiles_of_the_exact_distribution() -> None:
    five = items([0, 2, 6, 30, 9], [3, 8, 20, 10, 12])
    low, high = np.quantile(exact_scores(five, WER), [0.025, 0.975], method="inverted_cdf")
    assert 0 < low < high < 3
    assert intervals(five, {"wer": WER}, RESAMPLES, 1) == {
        "wer": (pytest.approx(low, rel=0.01), pytest.approx(high, rel=0.01))}


def test_fewer_than_five_clusters_have_no_interval() -> None:
    """Two speakers of ten sentences each are two pieces of evidence, not twenty."""
    errors, words = [1.0, 2] * 10, [9.0] * 20
    two, five = (items(errors, words, [f"s{number % many}" for number in range(20)])
                 for many in (2, 5))
    assert (clusters_about(two, WER), clusters_about(five, WER)) == (2, 5)
    assert intervals(two, {"wer": WER}, 100, 1) == {"wer": None}
    assert intervals(five, {"wer": WER}, 100, 1)["wer"] is not None


def test_running_text_has_wider_intervals_by_blocks_than_by_sentences() -> None:
    """Neighbours share a topic: an interval by sentences pretends that they do not."""
    generator = np.random.default_rng(8)
    topics = np.repeat(generator.normal(size=40), 50)
    errors = np.exp(topics + generator.normal(size=2000))
    sentences = items(errors.tolist(), [10.0] * 2000)
    blocks = items(errors.tolist(), [10.0] * 2000, [f"b{i // 50}" for i in range(2000)])
    widths = [high - low for statistics in (sentences, blocks)
              for low, high in [intervals(statistics, {"wer": WER}, 2000, 1)["wer"] or (0, 0)]]
    assert widths[1] > 3 * widths[0]
    # Means of 40 independent blocks: two deviations on either side.
    means = errors.reshape(40, 50).mean(axis=1) / 10
    assert widths[1] == pytest.approx(4 * means.std() / math.sqrt(40), rel=0.15)


def test_a_metric_is_resampled_as_what_it_is_and_not_as_a_mean_over_items() -> None:
    """Corpus WER of (1/10, 3/4): resamples give 2/20, 4/14 and 6/8, never (0.1 + 0.75) / 2."""
    found = resampled(items([1, 3], [10, 4]), WER, 500, 1)
    assert set(np.round(found, 12)) == {0.1, round(4 / 14, 12), 0.75}


def test_no_items_are_refused() -> None:
    with pytest.raises(ValueError, match="no items"):
        intervals(items([], []), {"wer": WER}, 100, 0)


def test_the_seed_alone_decides_and_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    statistics = items(range(1, 21), [30] * 20)
    whole = resampled(statistics, WER, 1000, 5)
    monkeypatch.setattr(clusters, "_CHUNK_CELLS", 7 * 20)
    np.testing.assert_array_equal(resampled(statistics, WER, 1000, 5), whole)
    assert not np.array_equal(resampled(statistics, WER, 1000, 6), whole)


def test_only_clusters_that_a_metric_is_about_are_drawn() -> None:
    """Two items of twelve have no words: every resample has a score, of ten items."""
    statistics = items([2, 1, 4, 3, 1, 0, 2, 5, 1, 2, 0, 0], [8.0] * 10 + [0, 0])
    only = items([2, 1, 4, 3, 1, 0, 2, 5, 1, 2], [8.0] * 10)
    assert clusters_about(statistics, WER) == 10
    np.testing.assert_array_equal(resampled(statistics, WER, 500, 2), resampled(only, WER, 500, 2))
    every = Metric("lower", ("words",), lambda sums: sums[..., 0], "words")
    both = resampled_scores(statistics, {"wer": WER, "words": every}, 500, 2)
    np.testing.assert_array_equal(both["wer"], resampled(only, WER, 500, 2))


def test_an_interval_needs_a_score_of_nearly_all_resamples() -> None:
    needs = Metric("lower", ("errors", "words"), lambda sums: np.where(
        sums[..., 0] > 0, sums[..., 0] / sums[..., 1], np.nan), "where there are errors")
    often, seldom = items([1, 1, 1, 1, 0, 0], [9] * 6), items([1, 0, 0, 0, 0, 0], [9] * 6)
    # 0.1 % of the resamples have no error, and 33 %.
    assert intervals(often, {"it": needs}, 1000, 1)["it"] is not None
    assert intervals(seldom, {"it": needs}, 1000, 1) == {"it": None}


def test_perplexity_is_resampled_as_an_exponential_of_a_ratio() -> None:
    statistics = items([math.log(2), math.log(8)], [1, 1])
    metric = Metric("lower", ("errors", "words"), perplexity, "")
    assert set(np.round(resampled(statistics, metric, 200, 0), 9)) == {2, 4, 8}
