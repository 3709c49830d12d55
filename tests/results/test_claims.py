"""Verdicts: from items, seeds, and the effect's direction."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.results.claims import judge_all, spread_of_effect, verdict
from pipeline.storage.files import read_json, write_json
from pipeline.tasks.forecast.scoring import METRICS
from tests.toy_suite import toy_suite, write_results, write_seeds


@pytest.mark.parametrize(("effect", "p", "spread", "expected"), [
    (1.0, 0.049, None, "holds"),
    (1.0, 0.05, None, "undecided"),
    (-1.0, 0.049, None, "refuted"),
    (-1.0, 0.2, None, "undecided"),
    (1.0, 0.001, 1.01, "undecided"),
    (1.0, 0.001, 0.99, "holds"),
    (-1.0, 0.001, 1.01, "undecided"),
    (-1.0, 0.001, 0.99, "refuted"),
    (0.0, 0.001, None, "undecided"),
])
def test_verdict(effect: float, p: float, spread: float | None, expected: str) -> None:
    assert verdict(effect, p, spread) == expected


def test_a_claim_is_held_against_the_best_of_the_others(tmp_path: Path) -> None:
    write_results(toy_suite(tmp_path))
    [claim] = judge_all(toy_suite(tmp_path))
    # The network wins on every series, so no resample goes the other way: p = 1 / 201.
    assert claim == {
        "id": "network-wins", "track": "yearly", "text": "A network forecasts better",
        "source": "lecture 3", "better": "network", "worse": "smooth:holt", "metric": "smape",
        "values": {"network": 5.0, "smooth:ses": 10.0, "smooth:holt": 9.0},
        "p": pytest.approx(1 / 201), "seed_spread": None, "verdict": "holds"}


def test_the_opposite_of_a_true_claim_is_refuted_with_the_same_p(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path, claim={"better": "smooth:ses", "worse": ["network"]})
    write_results(suite)
    [claim] = judge_all(suite)
    assert (claim["p"], claim["verdict"]) == (pytest.approx(1 / 201), "refuted")


def test_a_row_is_neither_better_nor_worse_than_itself(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path, claim={"worse": ["network"]})
    write_results(suite)
    [claim] = judge_all(suite)
    assert (claim["p"], claim["verdict"]) == (1.0, "undecided")


def test_a_win_on_three_series_of_four_is_undecided(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path, claim={"better": "smooth:holt", "worse": ["smooth:ses"]})
    write_results(suite)
    [claim] = judge_all(suite)
    assert claim["verdict"] == "undecided"
    assert 0.05 < claim["p"] < 0.5


def test_an_effect_smaller_than_its_spread_over_seeds_is_undecided(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path)
    write_results(suite)
    write_seeds(suite, "network", [4.5, 0.0])
    write_seeds(suite, "smooth:holt", [0.0, 0.0])
    [claim] = judge_all(suite)
    assert (claim["seed_spread"], claim["verdict"]) == (4.5, "undecided")


def test_effects_are_taken_seed_by_seed(tmp_path: Path) -> None:
    """Two answers of one trained system rise and fall together; their distance hardly moves."""
    suite = toy_suite(tmp_path)
    write_results(suite)
    assert spread_of_effect(suite, suite.claims[0], "smooth:holt", METRICS["smape"]) is None
    write_seeds(suite, "network", [4.0, 8.0])
    assert spread_of_effect(suite, suite.claims[0], "smooth:holt", METRICS["smape"]) is None
    write_seeds(suite, "smooth:holt", [4.5, 8.0])
    assert spread_of_effect(suite, suite.claims[0], "smooth:holt", METRICS["smape"]) == 0.5


def test_a_claim_about_a_metric_that_a_row_lacks_is_an_error(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path)
    write_results(suite)
    result = read_json(tmp_path / "metrics/yearly/network.json")
    del result["variants"][""]["metrics"]["smape"]
    write_json(tmp_path / "metrics/yearly/network.json", result)
    with pytest.raises(UserError, match="claim 'network-wins': row 'network' has no smape"):
        judge_all(suite)


def test_missing_item_statistics_name_the_command_that_makes_them(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path)
    write_results(suite)
    (tmp_path / "predictions/yearly/network/plain.items.csv.gz").unlink()
    with pytest.raises(UserError, match="dvc repro evaluate@network"):
        judge_all(suite)
