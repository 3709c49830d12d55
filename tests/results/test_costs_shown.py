"""Where costs are shown: on pages of rows that were run once, as far as they were recorded."""

from pathlib import Path
from typing import Any

from pipeline.results.leaderboard import build, render
from pipeline.storage.files import write_json
from pipeline.suite.schema import Suite


def run_suite(root: Path, evidence: str) -> Suite:
    """One track with one system that has been evaluated."""
    suite = Suite.model_validate({
        "root": ".", "suite": "", "evidence": evidence, "seed": 1, "threads": 1, "device": "cpu",
        "precision": "fp32", "resamples": 200, "mirror": None,
        "corpora": {"series": {"module": "m4"}},
        "tracks": {"yearly": {"title": "Yearly", "task": "forecast", "corpus": "series",
                              "metric": "owa", "features": {}}},
        "systems": {"network": {"track": "yearly", "model": "esrnn"}},
        "claims": []}).placed(root)
    score = {"value": 0.5, "low": 0.4, "high": 0.6}
    write_json(suite.places.metrics("yearly", "network"), {
        "version": "0" * 16,
        "track": "yearly", "task": "forecast", "system": "network", "corpus": "series",
        "parameters": 7, "ceiling": {}, "settings_tried": 1, "variants": {"": {
            "metrics": {"owa": score}, "n_items": 4, "clusters": 4,
            "signature": {"owa": "m4"}}}})
    return suite


def record(suite: Suite, stage: str, **values: Any) -> None:
    write_json(suite.places.cost("yearly", "network", stage),
               {"seconds": 70.5, "peak_memory_bytes": 3 * 2**20, "threads": 1, "commit": "a" * 40,
                "processor": "Test CPU", "precision": "fp32"} | values)


def row_of(page: str) -> list[str]:
    """The cells of the network in the table of how rows came about."""
    _, line = [line for line in page.splitlines() if line.startswith("|") and "network" in line]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_reproduced_suite_shows_no_costs_and_reads_none(tmp_path: Path) -> None:
    suite = run_suite(tmp_path, "ci")
    before = render(suite, build(suite, "yearly"))
    assert "train s" not in before and "peak MB" not in before and "Costs" not in before
    path = suite.places.cost("yearly", "network", "train")
    path.parent.mkdir(parents=True)
    path.write_text("damaged")
    assert render(suite, build(suite, "yearly")) == before


def test_rows_that_were_run_once_show_what_they_cost(tmp_path: Path) -> None:
    suite = run_suite(tmp_path, "run")
    record(suite, "train")
    record(suite, "evaluate", seconds=1.25, peak_memory_bytes=5 * 2**20)
    page = render(suite, build(suite, "yearly"))
    assert row_of(page)[-3:] == ["70.5", "1.2", "5"]
    assert "Test CPU, 72 s in all" in page
    assert "Costs are those of the machine that ran a row" in page


def test_a_cost_that_was_not_recorded_is_a_dash(tmp_path: Path) -> None:
    suite = run_suite(tmp_path, "run")
    record(suite, "train")
    page = render(suite, build(suite, "yearly"))
    assert row_of(page)[-3:] == ["70.5", "–", "3"]
    assert "Test CPU, seconds not recorded" in page


def test_a_row_without_any_cost_says_so(tmp_path: Path) -> None:
    suite = run_suite(tmp_path, "run")
    page = render(suite, build(suite, "yearly"))
    assert row_of(page)[-3:] == ["–", "–", "–"]
    assert "`network`: run by this project, cost not recorded." in page
