"""Ranking, evidence, floors and pages, on results written by hand."""

import hashlib
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.errors import UserError
from pipeline.results.boards import Row
from pipeline.results.leaderboard import (
    build,
    own_rows,
    render,
    under_floor,
    write_leaderboard,
)
from pipeline.results.pictures.gallery import caption
from pipeline.results.report import write_report
from pipeline.scoring.scores import Metric
from pipeline.storage.files import read_json, write_json
from pipeline.storage.seal import write_sealed
from pipeline.suite.schema import Suite
from pipeline.systems.convergence import converged
from tests.toy_suite import toy_suite, write_results

TRIED = {"settings_tried": 2}


def edit(path: Path, **changes: object) -> None:
    write_json(path, read_json(path) | changes)


def test_rows_stand_best_first_and_published_systems_stand_among_them(tmp_path: Path) -> None:
    write_results(toy_suite(tmp_path))
    board = build(toy_suite(tmp_path), "yearly")
    assert [(row["system"], row["value"]) for row in board["rows"]] == [
        ("network", pytest.approx(0.5)), ("Oracle|X", 0.7), ("smooth:holt", pytest.approx(0.925)),
        ("smooth:ses", pytest.approx(1.0))]
    assert [row["system"] for row in own_rows(board)] == ["network", "smooth:holt", "smooth:ses"]


def test_the_json_has_what_later_tools_rely_on(tmp_path: Path) -> None:
    write_results(toy_suite(tmp_path))
    board = build(toy_suite(tmp_path), "yearly")
    rows = board.pop("rows")
    assert board == {"track": "yearly", "task": "forecast", "corpus": "series",
                     "suite": "embedded", "metric": "owa", "better": "lower", "ceiling": 0.4,
                     "floor": 1.0, "not_ranked": None, "pictures": [], "not_run": []}
    first = rows[0]
    assert set(first) == {"system", "rank", "value", "low", "high", "seeds", "metrics", "n_items",
                          "clusters", "parameters", "signature", "settings_tried", "converged",
                          "precision", "tests", "evidence", "published"}
    assert set(first["metrics"]) == {"owa", "smape", "mase"}
    assert (first["n_items"], first["parameters"], first["settings_tried"]) == (4, 12345, 2)
    assert first["signature"] == "m4|v1"
    assert first["published"] == {"value": 0.45, "source": "A paper, table 1"}
    assert set(rows[1]) == set(first)
    assert rows[1]["evidence"] == {"kind": "published", "source": "Another paper"}
    assert (rows[1]["low"], rows[1]["rank"], rows[1]["tests"]) == (None, None, [])


def test_higher_is_better_ranks_the_other_way_and_ties_go_by_name() -> None:
    higher = Metric("higher", ("a",), lambda sums: sums[..., 0], "")
    assert higher.gain(3.0, 2.0) == 1.0
    lower = Metric("lower", ("a",), lambda sums: sums[..., 0], "")
    assert lower.gain(3.0, 2.0) == -1.0


def test_equal_values_are_in_the_order_of_their_names(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path, track={"published": {
        name: {"value": 0.3, "source": "s"} for name in ("c", "a", "b")}})
    write_results(suite)
    assert [row["system"] for row in build(suite, "yearly")["rows"]][:3] == [
        "a", "b", "c"]


def test_a_reproduced_suite_shows_no_clock_time_and_a_run_one_does(tmp_path: Path) -> None:
    write_results(toy_suite(tmp_path))
    assert own_rows(build(toy_suite(tmp_path), "yearly"))[0]["evidence"] == {"kind": "ci"}
    run = own_rows(build(toy_suite(tmp_path, evidence="run"), "yearly"))[0]["evidence"]
    assert run == {"kind": "run", "stale": True, "commit": "a" * 40, "uncommitted_changes": False,
                   "processor": "Test CPU", "precision": "fp32", "wall_time": 71.75}


def written(suite: Suite) -> tuple[bytes, str]:
    """The JSON and the page of the toy suite's leaderboard."""
    write_leaderboard(suite, "yearly")
    places = suite.places
    return places.board("yearly").read_bytes(), places.page("yearly").read_text("utf-8")


def test_costs_never_enter_what_is_compared_of_the_reproduced_suite(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path)
    write_results(suite)
    before = written(suite)
    edit(tmp_path / "costs/yearly/network.train.json", seconds=9999.0, processor="Other CPU")
    assert written(suite) == before


def test_costs_of_a_row_that_was_run_once_stand_in_the_evidence_and_on_the_page(
        tmp_path: Path) -> None:
    suite = toy_suite(tmp_path, evidence="run")
    write_results(suite)
    edit(tmp_path / "costs/yearly/network.train.json", seconds=9999.0)
    board, page = written(suite)
    assert b"10000.25" in board and "9,999.0" in page


def test_a_row_that_was_run_is_stale_once_what_it_was_made_from_has_changed(
        tmp_path: Path) -> None:
    suite = toy_suite(tmp_path, evidence="run")
    write_results(suite)
    train, evaluate = (suite.places.input(stage, "network") for stage in ("train", "evaluate"))
    write_sealed(train, {"settings": {}, "code": {}})
    metrics = read_json(suite.places.metrics("yearly", "network"))
    write_sealed(evaluate, {"settings": TRIED, "code": {}, "version": metrics["version"]})
    YAML().dump({"schema": "2.0", "stages": {"train@network": {"cmd": "train", "deps": [{
        "path": train.relative_to(tmp_path).as_posix(), "hash": "md5",
        "md5": hashlib.md5(train.read_bytes()).hexdigest()}]}}}, suite.places.lock)

    def stale() -> set[str]:
        rows = own_rows(build(suite, "yearly"))
        found = {row["system"] for row in rows if row["evidence"]["stale"]}
        [line] = [line for line in written(suite)[1].splitlines() if line.startswith("- Stale: ")]
        assert set(re.findall("`(.+?)`", line)) == found
        return found

    unrecorded = {"smooth:ses", "smooth:holt"}
    assert stale() == unrecorded
    write_sealed(evaluate, {"settings": TRIED, "code": {"figures.py": "a"},
                            "version": metrics["version"]})
    assert stale() == unrecorded
    write_sealed(evaluate, {"settings": TRIED, "code": {}, "version": "0" * 16})
    assert stale() == {"network", *unrecorded}
    write_sealed(evaluate, {"settings": TRIED, "code": {}, "version": metrics["version"]})
    edit(suite.places.metrics("yearly", "network"), settings_tried=metrics["settings_tried"] + 1)
    assert stale() == {"network", *unrecorded}
    edit(suite.places.metrics("yearly", "network"), settings_tried=metrics["settings_tried"])
    write_sealed(train, {"settings": {"hidden": 9}, "code": {}})
    assert stale() == {"network", *unrecorded}


def test_a_ghost_of_a_removed_system_leaves_no_row(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path)
    write_results(suite)
    ghost = read_json(tmp_path / "metrics/yearly/network.json") | {"system": "ghost"}
    write_json(tmp_path / "metrics/yearly/ghost.json", ghost)
    names = [row["system"] for row in build(suite, "yearly")["rows"]]
    assert "ghost" not in names and len(names) == 4


@pytest.mark.parametrize(("changes", "path", "command"), [
    ({}, "metrics/yearly/network.json", "dvc repro evaluate@network"),
    ({"root": "..", "suite": "real/", "evidence": "ci"}, "real/metrics/yearly/network.json",
     "dvc repro real/dvc.yaml:evaluate@network"),
])
def test_a_missing_result_names_the_command_that_makes_it(tmp_path: Path, changes: dict[str, str],
                                                          path: str, command: str) -> None:
    suite = toy_suite(tmp_path, **changes)
    write_results(suite)
    (tmp_path / path).unlink()
    with pytest.raises(UserError, match="does not exist") as error:
        build(suite, "yearly")
    assert f"'{command}'" in str(error.value)


def test_a_variant_that_was_never_evaluated_is_missed(tmp_path: Path) -> None:
    write_results(toy_suite(tmp_path))
    systems = toy_suite(tmp_path).systems
    smooth = systems["smooth"] | {"variants": {**systems["smooth"]["variants"],
                                               "comb": {"method": "comb"}}}
    with pytest.raises(UserError, match="lack 'comb'.*dvc repro evaluate@smooth"):
        build(toy_suite(tmp_path, systems=systems | {"smooth": smooth}), "yearly")


def test_scores_of_two_test_sets_are_not_ranked_together(tmp_path: Path) -> None:
    write_results(toy_suite(tmp_path))
    edit(tmp_path / "metrics/yearly/network.json", ceiling={"owa": 0.3})
    with pytest.raises(UserError, match="different test sets"):
        build(toy_suite(tmp_path), "yearly")


def test_a_row_without_the_primary_metric_is_an_error(tmp_path: Path) -> None:
    write_results(toy_suite(tmp_path))
    result = read_json(tmp_path / "metrics/yearly/network.json")
    del result["variants"][""]["metrics"]["owa"]
    write_json(tmp_path / "metrics/yearly/network.json", result)
    with pytest.raises(UserError, match="'network' has no owa"):
        build(toy_suite(tmp_path), "yearly")


def test_a_floor_is_a_multiple_of_the_ceiling_or_a_score(tmp_path: Path) -> None:
    floor = {"value": 1.1, "of_ceiling": True, "rows": ["network", "smooth:holt"]}
    suite = toy_suite(tmp_path, track={"floor": floor})
    write_results(suite)
    board = build(suite, "yearly")
    assert board["floor"] == pytest.approx(0.44)
    assert [row["system"] for row in under_floor(suite, board)] == ["network", "smooth:holt"]
    reached = toy_suite(tmp_path, track={
        "floor": {"value": 0.5, "of_ceiling": False, "rows": ["network"]}})
    assert under_floor(reached, build(reached, "yearly")) == []


def test_a_floor_of_an_unknown_ceiling_is_an_error(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path, track={
        "floor": {"value": 1.1, "of_ceiling": True, "rows": ["network"]}})
    write_results(suite, ceiling=None)
    with pytest.raises(UserError, match="tracks.yearly.floor is a multiple of the ceiling"):
        build(suite, "yearly")


PAGE = """\
# Yearly forecasts

Track `yearly`, corpus `series`, embedded suite.
**owa**: overall weighted average: sMAPE and MASE relative to Naive2's; lower is better. \
Scored on 4 test items. The interval is 95 % over 200 bootstrap resamples of them.

| rank | system                  |   owa |  95 % interval | seeds |  smape |  mase | published \
| evidence      |
| ---: | ----------------------- | ----: | -------------: | ----: | -----: | ----: | --------: \
| ------------- |
|    – | *ceiling of the corpus* | 0.400 |              – |     – |      – |     – |         – \
| known process |
|    – | network                 | 0.500 | 0.400 to 0.600 |     1 |  5.000 | 0.500 |     0.450 \
| ci            |
|    – | Oracle\\|X               | 0.700 |              – |     – |      – |     – |     0.700 \
| published     |
"""


def test_the_page_is_readable_as_plain_text(tmp_path: Path) -> None:
    write_results(toy_suite(tmp_path))
    write_leaderboard(toy_suite(tmp_path), "yearly")
    text = (tmp_path / "leaderboards/yearly.md").read_text()
    assert text.startswith(PAGE)
    for sentence in ("The rows are not ranked: the test items come from 4 groups",
                     "![intervals](yearly/intervals.svg)", "![curves](yearly/curves.svg)",
                     "| network     |     12,345 |              2 |            1 | not recorded |",
                     "| smooth:holt |     12,345 |              2 |            1 | –            |",
                     "Floor, fixed before tuning: owa at most 1.000. `network` reaches it.",
                     "- `ci`: continuous integration trains this row again",
                     "- `Oracle|X` 0.700: Another paper", "Scorer: `m4|v1`",
                     "`dvc repro leaderboard@yearly`"):
        assert sentence in text


def test_the_page_says_when_a_floor_is_missed_and_who_ran_what(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path, root="..", suite="real/", evidence="run", track={
        "floor": {"value": 0.45, "of_ceiling": False, "rows": ["network"],
                  "fixed": "after first results"}})
    write_results(suite)
    write_leaderboard(suite, "yearly")
    text = (tmp_path / "real/leaderboards/yearly.md").read_text()
    assert ("Floor, fixed after first results: owa at most 0.450. "
            "`network` **DOES NOT reach it**") in text
    assert ("- `run`: `network`, `smooth:holt`, `smooth:ses`: run by this project, commit "
            "aaaaaaaaaaaa, Test CPU, 72 s in all.") in text
    assert "once" not in text.replace("Trained once, so", "")
    assert "`dvc repro real/dvc.yaml:leaderboard@yearly`" in text


def page_of(suite: Suite) -> str:
    return written(suite)[1]


def test_an_interval_without_width_is_not_passed_off_as_certainty(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path)
    write_results(suite)
    assert "no width" not in page_of(suite)
    path = suite.places.metrics("yearly", "network")
    result = read_json(path)
    result["variants"][""]["metrics"]["owa"].update(value=0.5, low=0.5, high=0.5)
    write_json(path, result)
    assert ("resamples of them. Where it has no width, all groups have the same score"
            in page_of(suite))


def test_the_page_says_by_which_rule_and_of_which_training_a_row_converged(
        tmp_path: Path) -> None:
    """A loss of nearly 0 halves for ever; it is flat by the second of the two measures."""
    assert converged([1.0, 0.5, 1e-4, 5e-5], 0) and not converged([1.0, 0.5, 0.1, 0.05], 0)
    suite = toy_suite(tmp_path)
    write_results(suite)
    edit(suite.places.metrics("yearly", "network"), converged=True)
    text = page_of(suite)
    assert "no more than 0.2 % of itself or 0.1 % of its fall in all, or patience" in text
    assert "said of the training whose score stands in the table" in text


def test_a_page_promises_no_more_of_ranks_than_they_say(tmp_path: Path) -> None:
    """Rows of two ranks may be alike, and a row trained once hides what seeds do."""
    suite = toy_suite(tmp_path)
    write_results(suite)
    board = build(suite, "yearly")
    rows: list[Row] = [
        {**row, "rank": place, "seeds": {"scores": [row["value"]], "mean": None, "deviation": None}}
        for place, row in enumerate(own_rows(board), start=1)]
    text = render(suite, {**board, "rows": rows})
    assert "rows of different ranks need not differ from each other" in text
    assert "does not tell apart share it" not in text
    told = caption(suite, board, "intervals")
    assert "other seeds might have changed places" in told and "ranks say whether" not in told
    assert "as if seeds moved neither: `network`, `smooth:holt`, `smooth:ses`" in text


@pytest.mark.parametrize(("clusters", "bounds", "sentences"), [
    (4, (0.4, 0.6), "Scored on 4 test items. The interval is 95 % over 200 bootstrap resamples"),
    (3, (None, None), "Scored on 4 test items in 3 groups produced together. 3 independent groups "
                      "of items are too few for an interval; 5 are the fewest."),
    (1, (None, None), "Scored on 4 test items in 1 group produced together. 1 independent group of "
                      "items is too few for an interval; 5 are the fewest."),
    (4, (None, None), "Scored on 4 test items. 4 independent groups of items are too few")])
def test_a_page_says_on_how_many_groups_and_why_there_is_no_interval(
        tmp_path: Path, clusters: int, bounds: tuple[float | None, float | None],
        sentences: str) -> None:
    suite = toy_suite(tmp_path)
    write_results(suite)
    for key in suite.systems:
        result = read_json(suite.places.metrics("yearly", key))
        for answers in result["variants"].values():
            answers["clusters"] = clusters
            answers["metrics"]["owa"].update(low=bounds[0], high=bounds[1])
        write_json(suite.places.metrics("yearly", key), result)
    write_leaderboard(suite, "yearly")
    assert sentences in suite.places.page("yearly").read_text()
    write_report(suite)
    [line] = [line for line in suite.places.overview.read_text().splitlines()
              if line.startswith("| [yearly]")]
    assert ("0.400 to 0.600" in line) == (bounds[0] is not None)
    assert "– to –" not in suite.places.page("yearly").read_text() + line
