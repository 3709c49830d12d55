"""The record of test scores: nothing is lost, and nothing that looks the same counts twice."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.results.boards import KnownScore
from pipeline.results.leaderboard import build, write_leaderboard
from pipeline.results.report import write_report
from pipeline.results.tested import read_tests, with_score
from pipeline.storage.files import read_json, write_json
from pipeline.suite.schema import Suite
from tests.toy_suite import toy_suite, write_results


def score(value: float, version: str = "v1", metric: str = "owa") -> KnownScore:
    return {"metric": metric, "value": value, "version": version}


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    found = toy_suite(tmp_path)
    write_results(found)
    return found


def evaluated_again(suite: Suite, value: float, version: str) -> None:
    path = suite.places.metrics("yearly", "network")
    result = read_json(path) | {"version": version}
    result["variants"][""]["metrics"]["owa"]["value"] = value
    write_json(path, result)


def test_each_score_is_kept_in_order_with_the_version_that_had_it(suite: Suite) -> None:
    write_report(suite)
    for value, version in ((0.61, "v2"), (0.55, "v2"), (0.55, "v3"), (0.61, "v4")):
        evaluated_again(suite, value, version)
        write_report(suite)
    assert read_tests(suite)["yearly"]["network"] == [
        score(pytest.approx(0.5), "0123456789abcdef"), score(0.61, "v2"), score(0.55, "v2")]
    assert len(read_tests(suite)["yearly"]["smooth:ses"]) == 1


def test_a_page_shows_the_earlier_scores_and_counts_them_before_the_report_runs(
        suite: Suite) -> None:
    write_report(suite)
    evaluated_again(suite, 0.61, "v2")
    write_leaderboard(suite, "yearly")
    page = suite.places.page("yearly").read_text()
    assert "| 2, as 2 versions |" in page
    assert "- `network`: owa 0.500 (0123456789abcdef)" in page
    assert "`smooth:ses`: owa" not in page


@pytest.mark.parametrize(("now", "known"), [
    (score(0.50049), True), (score(0.5006), False), (score(0.5, metric="smape"), False),
    (score(0.5, "v2"), True)])
def test_a_score_is_new_when_a_page_would_show_another(now: KnownScore, known: bool) -> None:
    before = [score(0.5)]
    assert with_score(before, now, 3) == (before if known else [*before, now])


def test_what_is_of_no_board_any_more_stays(suite: Suite) -> None:
    old = {"yearly": {"removed": [score(0.9)]}, "gone": {"row": [score(1.0)]}}
    write_json(suite.places.tests, old)
    write_report(suite)
    found = read_tests(suite)
    assert found["gone"] == old["gone"] and found["yearly"]["removed"] == [score(0.9)]
    assert set(found["yearly"]) == {"removed", "network", "smooth:ses", "smooth:holt"}


@pytest.mark.parametrize("content", ["", "[]", '{"yearly": {"network": [{"value": 1}]}}', "{"])
def test_a_damaged_record_is_refused_and_not_begun_anew(suite: Suite, content: str) -> None:
    suite.places.tests.write_text(content)
    for call in (lambda: write_report(suite), lambda: build(suite, "yearly")):
        with pytest.raises(UserError, match=r"tests\.json.*git checkout"):
            call()
    assert suite.places.tests.read_text() == content


def test_published_figures_are_no_tests_of_ours(suite: Suite) -> None:
    write_report(suite)
    assert "Oracle|X" not in read_tests(suite)["yearly"]


def test_the_real_suite_remembers_what_it_scored_before(root: Path) -> None:
    from pipeline.suite.schema import load

    known = read_tests(load(root / "real/params.yaml"))
    values = {row: [round(one["value"], 3) for one in rows[row]]
              for track, row in (("forecast-weekly", "weekly-esrnn"), ("lm-word", "lm-lstm:plain"))
              for rows in [known[track]]}
    assert values["weekly-esrnn"][:2] == [0.975, 0.803]
    assert values["lm-lstm:plain"][:2] == [86.645, 75.492]
