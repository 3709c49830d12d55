"""The overview, the claims in words, and the summary that ends `make repro`."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.results.boards import Claim
from pipeline.results.claim_pages import claim_sections
from pipeline.results.claims import judge_all
from pipeline.results.leaderboard import write_leaderboard
from pipeline.results.report import summary, write_report
from pipeline.storage.files import read_json
from pipeline.suite.schema import Suite
from tests.toy_suite import toy_suite, write_results


def overview(suite: Suite) -> str:
    write_results(suite)
    write_report(suite)
    return suite.places.overview.read_text()


def test_the_overview_names_first_rows_ceiling_and_best_published(tmp_path: Path) -> None:
    text = overview(toy_suite(tmp_path))
    [line] = [line for line in text.splitlines() if line.startswith("| [yearly]")]
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "[yearly](yearly.md)", "owa, lower is better", "`network`", "0.500", "0.400 to 0.600",
        "`smooth:holt`", "0.925", "0.400", "0.450, `network` (A paper, table 1)"]
    assert "best published figure listed" in text
    # The lead may be one seed's luck, and other rows may share the first rank.
    assert "row with the best score" in text and "score of one training" in text
    assert not any(word in text.lower() for word in ("winner", "runner-up", "best system"))
    assert "best of those that `params.yaml` lists" in text
    assert "Tracks that state a floor: 1; every system that must reach one does." in text


def cells(text: str, start: str) -> list[str]:
    [line] = [line for line in text.splitlines() if line.startswith(f"| {start}")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_claims_are_written_and_explained(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path)
    text = overview(suite)
    assert read_json(tmp_path / "leaderboards/claims.json") == judge_all(suite)
    assert text.count("A network forecasts better") == 1  # told once
    assert "### Time series\n" in text and "Of 1: 1 is undecided." in text
    assert cells(text, "A network") == [
        "A network forecasts better (lecture 3)", "**undecided**",
        "`network` 5.000 and `smooth:holt` 9.000, smape of [yearly](yearly.md), lower is better",
        "+4.000", "–", "–", "1", "4", "100 %",
        "Only 4 independent groups of test items are about it; with fewer than 5 no error can be "
        "estimated."]


CLAIM: Claim = {
    "id": "network-wins", "track": "yearly", "text": "A network forecasts better",
    "source": "lecture 3", "lecture": "time series", "stated": "before results",
    "better": "network", "worse": "smooth:holt", "metric": "smape", "contrast": None,
    "values": {"network": 5.0, "smooth:ses": 10.0, "smooth:holt": 9.0}, "effect": 4.0, "low": 3.0,
    "high": 5.0, "p": 0.0002, "p_adjusted": 0.0148, "seeds": 5, "clusters": 2300, "wins": 0.96,
    "detectable": 2.0, "verdict": "holds", "reason": "Because."}


def test_a_claims_figures_are_shown_with_its_verdict() -> None:
    [_, lecture, text] = claim_sections(toy_suite(), [CLAIM])
    assert lecture == "### Time series"
    assert cells(text, "A network")[3:] == [
        "+4.000", "3.000 to 5.000", "p = 0.015", "5", "2,300", "96 %", "Because."]
    [_, _, text] = claim_sections(toy_suite(), [{**CLAIM, "seeds": None}])
    assert cells(text, "A network")[6] == "none needed"


def test_claims_stand_under_their_lectures_and_late_ones_are_marked() -> None:
    """However many there are, in whatever order, each lecture has one table."""
    late: Claim = {**CLAIM, "text": "Later", "stated": "after first results",
                   "verdict": "one training", "lecture": "attention"}
    suite = toy_suite()
    sections = claim_sections(suite, [CLAIM, late, {**CLAIM, "text": "Third"}])
    assert [text for text in sections if text.startswith("#")] == ["### Attention",
                                                                   "### Time series"]
    assert "Of 3: 2 hold, 1 rests on one training." in sections[0]
    assert "Later (lecture 3; *stated after first results*)" in sections[2]
    assert "Third" in sections[4] and "Later" not in sections[4]
    assert "after first results" not in sections[4]


def test_a_contrast_names_both_pairs() -> None:
    [_, _, text] = claim_sections(toy_suite(), [{
        **CLAIM, "contrast": {"better": "smooth:ses", "worse": "smooth:holt"}}])
    assert cells(text, "A network")[2].startswith(
        "`network` 5.000 and `smooth:holt` 9.000; against `smooth:ses` 10.000 and `smooth:holt` "
        "9.000, smape of")


def test_how_to_read_says_what_is_done(tmp_path: Path) -> None:
    text = overview(toy_suite(tmp_path)).split("## How to read this")[1]
    for words in ("means over all trainings", "Holm", "one training", "fewer than 5", "two-sided",
                  "groups of items", "200 bootstrap resamples", "four of five", "a sign test's",
                  "than the third over the fourth"):
        assert words in text
    assert "trained and tested once" not in text and "one-sided" not in text
    # Where the opposite is true, a claim is rightly refuted: that is no error of the method.
    assert "if no two sides differed in truth" in text and "if none were true" not in text


def test_a_missed_floor_is_said(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path, track={
        "floor": {"value": 0.45, "of_ceiling": False, "rows": ["network"]}})
    text = overview(suite)
    assert "`network` has owa 0.500 and is under its floor 0.450" in text
    assert "UNDER ITS FLOOR: network" in summary(suite)


def test_no_floor_is_not_said_to_be_reached(tmp_path: Path) -> None:
    text = overview(toy_suite(tmp_path, track={"floor": None}))
    assert "No track states a floor" in text and "that must reach one does" not in text


def test_the_real_suite_says_who_ran_its_rows_and_how_to_score_them(tmp_path: Path) -> None:
    text = overview(toy_suite(tmp_path, root="..", suite="real/", evidence="run"))
    assert "tested once" not in text and "make verify" not in text
    assert "unrolled rescore --suite real" in text


def test_a_suite_without_claims_has_an_overview(tmp_path: Path) -> None:
    assert "This suite states no claims." in overview(toy_suite(tmp_path, claims=[]))
    assert read_json(tmp_path / "leaderboards/claims.json") == []


def test_the_summary_names_first_rows_and_where_to_look(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path)
    write_results(suite)
    text = summary(suite)
    assert "network  owa 0.500" in text and "of one training each" in text
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
