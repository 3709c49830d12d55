"""The line that says which scores moved, against the commits of a real git repository."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.results.moved import moved
from pipeline.storage.files import read_json, write_json
from pipeline.suite.schema import Suite

COMMITTED = {
    "smooth": {"ses": {"owa": 1.0, "smape": 10.0}, "holt": {"owa": 0.9, "smape": 9.0}},
    "network": {"": {"owa": 0.5, "smape": 5.0}},
}


def suite_in(root: Path, folder: str = "") -> Suite:
    """A track with two systems and three rows."""
    systems: dict[str, Any] = {
        "smooth": {"track": "yearly", "model": "statistical",
                   "variants": {"ses": {}, "holt": {}}},
        "network": {"track": "yearly", "model": "esrnn"},
    }
    track = {"title": "Yearly", "task": "forecast", "corpus": "series",
             "metric": "owa", "features": {}}
    return Suite.model_validate({
        "root": ".." if folder else ".", "suite": folder, "evidence": "ci", "seed": 1,
        "threads": 1, "device": "cpu", "precision": "fp32", "resamples": 200, "mirror": None,
        "corpora": {"series": {"module": "m4"}}, "tracks": {"yearly": track},
        "systems": systems, "claims": []}).placed(root)


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], cwd=folder,
                   check=True, capture_output=True)


def write(suite: Suite, key: str, variants: dict[str, dict[str, float]]) -> None:
    write_json(suite.places.metrics("yearly", key), {"variants": {
        variant: {"metrics": {name: {"value": value, "low": value - 1, "high": value + 1}
                              for name, value in row.items()}, "n_items": 4}
        for variant, row in variants.items()}})


def committed(root: Path, repository: Path, folder: str = "") -> Suite:
    suite = suite_in(root, folder)
    for key, variants in COMMITTED.items():
        write(suite, key, variants)
    git(repository, "init", "--quiet")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "scores")
    return suite


def rescored(suite: Suite, key: str, variant: str, **values: float) -> None:
    found = read_json(suite.places.metrics("yearly", key))["variants"]
    rows = {name: {metric: score["value"] for metric, score in row["metrics"].items()}
            for name, row in found.items()}
    rows[variant] |= values
    write(suite, key, rows)


@pytest.mark.parametrize("folder", ["", "real/"])
def test_equal_scores_are_said_to_be_the_committed_ones(tmp_path: Path, folder: str) -> None:
    suite = committed(tmp_path, tmp_path, folder)
    assert moved(suite) == "all 6 scores are the committed ones"
    rescored(suite, "network", "", owa=0.6)
    assert moved(suite) == "1 of 6 scores moved: network owa 0.500 -> 0.600 (+0.100)"


def test_the_largest_move_in_its_own_measure_comes_first(tmp_path: Path) -> None:
    suite = committed(tmp_path, tmp_path)
    rescored(suite, "smooth", "ses", smape=10.5)
    rescored(suite, "network", "", owa=0.4)
    assert moved(suite) == ("2 of 6 scores moved: network owa 0.500 -> 0.400 (-0.100), "
                            "smooth:ses smape 10.000 -> 10.500 (+0.500)")


def test_five_are_named_and_more_are_counted(tmp_path: Path) -> None:
    suite = committed(tmp_path, tmp_path)
    for key, variants in COMMITTED.items():
        for variant, row in variants.items():
            rescored(suite, key, variant, **{name: 2 * value for name, value in row.items()})
    line = moved(suite)
    assert line is not None and line.startswith("6 of 6 scores moved: network owa 0.500 -> 1.000")
    assert line.count(" -> ") == 5 and line.endswith(", ...")


def test_a_move_that_the_pages_would_not_show_is_seen(tmp_path: Path) -> None:
    suite = committed(tmp_path, tmp_path)
    rescored(suite, "network", "", owa=0.50002)
    assert moved(suite) == "1 of 6 scores moved: network owa 0.50000 -> 0.50002 (+0.00002)"


def test_a_project_below_its_repository_is_compared_too(tmp_path: Path) -> None:
    root = tmp_path / "below"
    suite = committed(root, tmp_path)
    rescored(suite, "smooth", "holt", owa=1.8)
    assert moved(suite) == "1 of 6 scores moved: smooth:holt owa 0.900 -> 1.800 (+0.900)"


def test_a_system_that_one_side_lacks_is_not_compared(tmp_path: Path) -> None:
    suite = committed(tmp_path, tmp_path)
    git(tmp_path, "rm", "--quiet", "--cached", "metrics/yearly/smooth.json")
    git(tmp_path, "commit", "--quiet", "--message", "without one")
    assert moved(suite) == "all 2 scores are the committed ones"
    suite.places.metrics("yearly", "network").unlink()
    assert moved(suite) is None


def test_outside_a_repository_and_before_a_commit_nothing_is_said(tmp_path: Path) -> None:
    suite = suite_in(tmp_path)
    write(suite, "network", COMMITTED["network"])
    assert moved(suite) is None
    git(tmp_path, "init", "--quiet")
    assert moved(suite) is None
