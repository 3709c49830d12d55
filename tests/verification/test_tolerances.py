"""How far a score may move: seeds, one item's worth, and rows that nobody has measured."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.modules import task_module, tasks
from pipeline.results.trainings import records_of
from pipeline.running.costs import processor
from pipeline.scoring.scores import ItemStatistics, Metric
from pipeline.suite.schema import Suite
from pipeline.verification.tolerances import (
    chance_outside,
    deviation,
    made_here,
    one_items_worth,
    tolerances,
)
from tests.toy_suite import statistics, toy_suite, write_results, write_seeds


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    found = toy_suite(tmp_path)
    write_results(found)
    return found


def left_out(items: ItemStatistics, metric: Metric) -> float:
    """One item's worth by its definition: each item is left out in turn."""
    whole, changes = items.score(metric), [0.0]
    for item in range(len(items.ids)):
        rest = [place for place in range(len(items.ids)) if place != item]
        score = ItemStatistics([items.ids[place] for place in rest], {
            name: column[rest] for name, column in items.columns.items()}).score(metric)
        changes += [abs(score - whole)] if np.isfinite(score) else []
    return max(changes)


@pytest.mark.parametrize("task", tasks())
def test_an_items_worth_is_what_leaving_it_out_changes(task: str) -> None:
    """For every metric of every task, on items of which some have nothing of a column."""
    draw = np.random.default_rng(1)
    for metric in task_module(task, "scoring").METRICS.values():
        items = ItemStatistics([f"i{n}" for n in range(12)], {
            name: draw.integers(0, 9, 12).astype(float) for name in metric.columns})
        if np.isfinite(items.score(metric)):
            assert one_items_worth(items, metric) == pytest.approx(left_out(items, metric))


def test_a_single_item_cannot_be_left_out() -> None:
    ratio = task_module("tagging", "scoring").METRICS["accuracy"]
    alone = ItemStatistics(["a"], {name: np.ones(1) for name in ratio.columns})
    assert one_items_worth(alone, ratio) == 0.0


def test_a_row_that_moves_is_allowed_five_deviations_and_another_an_items_worth(
        suite: Suite) -> None:
    write_seeds(suite, "network", [0.1, 0.2])
    assert deviation(records_of(suite, "yearly", "network"), "smape") == pytest.approx(0.1)
    found = tolerances(suite, "yearly", {row: statistics(row) for row in (
        "network", "smooth:ses", "smooth:holt")})
    assert found["network"]["smape"] == pytest.approx(0.5)
    assert found["network"]["smape, low bound"] == pytest.approx(1.5)
    assert found["network"]["mase"] == pytest.approx(0.5 - 1.4 / 3)
    assert found["smooth:holt"]["smape"] == pytest.approx(1.0)  # 9, or 8 without the second
    assert found["smooth:ses"]["smape"] == pytest.approx(10 * 1e-9)  # all series are alike


def test_two_seeds_of_five_lie_further_apart_in_one_case_of_forty(suite: Suite) -> None:
    """Checked by drawing rows of five seeds and one more, all from one normal distribution."""
    write_seeds(suite, "network", [0.1, 0.2, 0.3, 0.4])
    assert chance_outside(suite, "yearly", "network") == pytest.approx(0.0241, abs=5e-4)
    drawn = np.random.default_rng(1).standard_normal((200_000, 6))
    outside = np.abs(drawn[:, 0] - drawn[:, 5]) > 5 * drawn[:, :5].std(axis=1, ddof=1)
    assert outside.mean() <= chance_outside(suite, "yearly", "network")
    assert chance_outside(suite, "yearly", "smooth:ses") == 0.0


def test_a_network_that_was_trained_once_was_not_measured(suite: Suite) -> None:
    write_seeds(suite, "network", [])
    found = tolerances(suite, "yearly", {"network": statistics("network"),
                                         "smooth:ses": statistics("smooth:ses")})
    assert found.keys() == {"smooth:ses"}


def test_here_is_the_processor_and_the_version_of_pytorch(suite: Suite) -> None:
    here = {"processor": processor("cpu"), "torch": None}
    assert made_here(suite, here)
    assert not made_here(suite, here | {"torch": "0.1"})
    assert not made_here(suite, here | {"processor": "Another"})
    assert not made_here(suite, None)
