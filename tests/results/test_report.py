"""The overview, the claims in words, and the summary that ends `make repro`."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.results.claims import judge_all
from pipeline.results.leaderboard import write_leaderboard
from pipeline.results.report import summary, write_report
from pipeline.storage.files import read_json
from pipeline.suite.schema import Suite
from tests.toy_suite import toy_suite, write_results, write_seeds


def overview(suite: Suite) -> str:
    write_results(suite)
    write_report(suite)
    return suite.places.overview.read_text()


def test_the_overview_names_winner_runner_up_ceiling_and_best_published(tmp_path: Path) -> None:
    text = overview(toy_suite(tmp_path))
    [line] = [line for line in text.splitlines() if line.startswith("| [yearly]")]
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "[yearly](yearly.md)", "owa, lower is better", "`network`", "0.500", "0.400 to 0.600",
        "`smooth:holt`", "0.925", "0.400", "0.450"]
    assert "Tracks that state a floor: 1; every system that must reach one does." in text


def test_claims_are_written_and_explained(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path)
    text = overview(suite)
    assert read_json(tmp_path / "leaderboards/claims.json") == judge_all(suite)
    assert ("- **A network forecasts better** (lecture 3): holds. `network` is 4.000 smape better "
            "than `smooth:holt` (p = 0.005). How much it moves between training seeds was not "
            "measured.") in text


def test_a_refuted_claim_and_a_wide_spread_are_said_in_words(tmp_path: Path) -> None:
    refuted = overview(toy_suite(tmp_path, claim={
        "better": "smooth:ses", "worse": ["network"]}))
    assert "refuted. `smooth:ses` is 5.000 smape worse than `network`" in refuted
    write_seeds(toy_suite(tmp_path), "network", [4.5])
    write_seeds(toy_suite(tmp_path), "smooth:holt", [0.0])
    undecided = overview(toy_suite(tmp_path))
    assert "undecided." in undecided
    assert "It moves more than that between training seeds" in undecided


def test_a_missed_floor_is_said(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path, track={
        "floor": {"value": 0.45, "of_ceiling": False, "rows": ["network"]}})
    text = overview(suite)
    assert "`network` has owa 0.500 and is under its floor 0.450" in text
    assert "UNDER ITS FLOOR: network" in summary(suite)


def test_the_real_suite_says_that_its_rows_were_run_once(tmp_path: Path) -> None:
    text = overview(toy_suite(tmp_path, root="..", suite="real/", evidence="run"))
    assert "trained and tested once" in text and "make verify" not in text
    assert "unrolled rescore --suite real" in text


def test_a_suite_without_claims_has_an_overview(tmp_path: Path) -> None:
    assert "This suite states no claims." in overview(toy_suite(tmp_path, claims=[]))
    assert read_json(tmp_path / "leaderboards/claims.json") == []


def test_the_summary_names_winners_and_where_to_look(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path)
    write_results(suite)
    text = summary(suite)
    assert "network  owa 0.500" in text
    assert "leaderboards/README.md" in text and "make ui" in text
    assert "UNDER" not in text


def test_a_suite_that_is_run_by_hand_names_what_has_not_been_run(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path, root="..", suite="real/", evidence="run")
    write_results(suite)
    (tmp_path / "real/metrics/yearly/network.json").unlink()
    write_leaderboard(suite, "yearly")
    write_report(suite)
    board = read_json(tmp_path / "real/leaderboards/yearly.json")
    assert board["not_run"] == ["network"]
    assert {row["evidence"]["kind"] for row in board["rows"] if row["system"] == "network"} == {
        "published"}
    page = (tmp_path / "real/leaderboards/yearly.md").read_text()
    assert "not run yet: `network`" in page and "real/dvc.yaml:evaluate@network" in page
    text = (tmp_path / "real/leaderboards/README.md").read_text()
    assert "not run yet: `network` (yearly)" in text
    assert "- A network forecasts better (`yearly`)" in text.split("Not judged")[1]
    assert read_json(tmp_path / "real/leaderboards/claims.json") == []


def test_a_suite_that_ci_reproduces_may_lack_nothing(tmp_path: Path) -> None:
    write_results(toy_suite(tmp_path))
    (tmp_path / "metrics/yearly/network.json").unlink()
    with pytest.raises(UserError, match="evaluate@network"):
        write_report(toy_suite(tmp_path))
