"""Shared ranks: what differs by luck alone stands on one place."""

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.results.ranks import Ranks, ranks
from pipeline.results.trainings import Trainings
from pipeline.scoring.scores import ItemStatistics, Metric, ratio

METRIC = Metric("lower", ("errors", "items"), ratio, "mean error")
ITEMS, SEEDS = 100, (1, 2, 3, 4, 5)


def row(name: str, error: float, *, seeds: int = 5, between: float = 0.01, same: bool = False,
        groups: int = ITEMS) -> Trainings:
    """Trainings whose mean errors lie around `error`, `between` of them apart, on common items."""
    hard = np.random.default_rng(1).normal(size=ITEMS)
    own = np.random.default_rng(sum(map(ord, name)))
    found = [ItemStatistics([f"i{item}" for item in range(ITEMS)],
                            {"errors": error + between * own.normal() + hard
                             + 0.1 * own.normal(size=ITEMS), "items": np.ones(ITEMS)},
                            [f"g{item % groups}" for item in range(ITEMS)])
             for _ in range(seeds)]
    return Trainings(name, name, SEEDS[:seeds], found, same)


def ranked(*rows: Trainings) -> Ranks:
    return ranks(rows, METRIC, 200, 1)


def test_rows_that_differ_by_luck_share_a_rank_and_count_for_those_below() -> None:
    found = ranked(row("a", 1.0), row("b", 1.001), row("c", 2.0), row("d", 2.001), row("e", 3.0))
    assert found == Ranks({"a": 1, "b": 1, "c": 3, "d": 3, "e": 5})


def test_a_better_score_alone_wins_no_place() -> None:
    """Trainings lie further apart than the rows do, whatever the committed ones say."""
    first, second = row("a", 1.0, between=1.0), row("b", 1.3, between=1.0)
    assert ranked(first, second).by_row == {"a": 1, "b": 1}


def test_a_row_that_was_trained_once_is_ranked_by_items_alone() -> None:
    assert ranked(row("a", 1.0, seeds=1), row("b", 1.3, seeds=1)).by_row == {"a": 1, "b": 2}


def test_equal_rows_and_a_lone_one_are_first() -> None:
    one, other = row("a", 1.0, seeds=1, same=True), row("a", 1.0, seeds=1, same=True)
    twin = Trainings("twin", "twin", other.seeds, other.statistics, True)
    assert ranked(one, twin).by_row == {"a": 1, "twin": 1}
    assert ranked(one) == Ranks({"a": 1})
    assert ranked() == Ranks({})


@pytest.mark.parametrize(("groups", "there_are"), [(4, False), (5, True)])
def test_fewer_than_five_clusters_rank_nothing(groups: int, there_are: bool) -> None:
    found = ranked(row("a", 1.0, groups=groups), row("b", 9.0, groups=groups))
    assert bool(found.by_row) is there_are
    assert there_are or found.reason is not None and "4 groups" in found.reason


def test_clusters_without_anything_the_metric_is_about_do_not_count() -> None:
    few = row("a", 1.0, groups=6)
    for statistics in few.statistics:
        for column in statistics.columns.values():
            column[[group in ("g0", "g1") for group in statistics.groups]] = 0
    assert "4 groups" in str(ranked(few).reason)


def test_rows_of_other_items_are_an_error_that_names_them() -> None:
    other = row("b", 1.0)
    for statistics in other.statistics:
        statistics.ids[0] = "another"
    with pytest.raises(UserError, match="rows a, b have statistics of different items"):
        ranked(row("a", 1.0), other)


def test_many_pairs_without_an_effect_give_ranks_to_hardly_any() -> None:
    """Of 15 tracks with 4 equal rows each, 5 % may tell any two apart; five: one in 1,600."""
    wrong = sum(len(set(ranked(*(row(f"{track}-{name}", 1.0, seeds=3) for name in "abcd"))
                        .by_row.values())) > 1 for track in range(15))
    assert wrong <= 4
