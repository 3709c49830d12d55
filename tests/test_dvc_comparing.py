"""What the README says about comparing with DVC: each command is run on a repository of its own.

The repository has the committed scores, curves and settings of all suites and no model, as a fresh
clone has. Whatever was configured and never run must not disturb a comparison.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dvc.api
import pytest

from pipeline.storage.files import read_json, write_json

FILES = ["dvc.yaml", "params.yaml", "metrics", "curves"]
SCORE = "metrics/lm-word/lm-lstm.json"
CURVE = "curves/lm-word/lm-lstm.json"
POINTS = [{"step": 10 * number, "epoch": number, "loss": 4.0 - number, "validation_loss": 3.0}
          for number in (1, 2)]


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
    return found


def git(folder: Path, *arguments: str) -> None:
    run(folder, "git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments)


def dvc_says(folder: Path, *arguments: str) -> str:
    """What DVC prints, once it has said nothing of failures or warnings."""
    found = run(folder, sys.executable, "-m", "dvc", *arguments)
    assert not found.stderr, found.stderr
    return found.stdout


@pytest.fixture(scope="module")
def commit(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose last commit, on the branch `main`, is what the tests compare with."""
    folder = tmp_path_factory.mktemp("repository")
    for suite in ("", "real/", "large/"):
        for name in FILES:
            source = root / suite / name
            if source.is_dir():
                shutil.copytree(source, folder / suite / name)
            elif source.exists():
                (folder / suite).mkdir(exist_ok=True)
                shutil.copy(source, folder / suite / name)
    write_json(folder / CURVE, POINTS)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    run(folder, sys.executable, "-m", "dvc", "init", "--quiet")
    shutil.copy(root / ".dvc/config", folder / ".dvc/config")
    shutil.copy(root / ".dvcignore", folder / ".dvcignore")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")
    return folder


@pytest.fixture
def repository(commit: Path) -> Iterator[Path]:
    """The repository as it was committed."""
    yield commit
    git(commit, "reset", "--quiet", "--hard")


def test_one_changed_score_is_one_line(repository: Path) -> None:
    result = read_json(repository / SCORE)
    result["variants"][""]["metrics"]["perplexity"]["value"] += 0.5
    write_json(repository / SCORE, result)
    header, rule, *rows, end = dvc_says(repository, "metrics", "diff", "main", "--md").split("\n")
    assert header.startswith("| Path") and set(rule) == {"|", "-"} and end == ""
    (row,) = [row for row in rows if row]
    assert row.split("|")[1].strip() == SCORE and row.split("|")[-2].strip() == "0.5"


def test_scores_of_a_commit_can_be_read_although_systems_were_not_run(repository: Path) -> None:
    scores = dvc.api.metrics_show(repo=str(repository), rev="HEAD")
    assert any(SCORE in name for name in scores)


def test_the_table_of_experiments_shows_what_differs_and_no_more(repository: Path) -> None:
    result = read_json(repository / SCORE)
    result["variants"][""]["metrics"]["perplexity"]["value"] += 0.5
    write_json(repository / SCORE, result)
    header, *rows = dvc_says(repository, "exp", "show", "--only-changed", "--csv").splitlines()
    assert len(rows) == 2
    assert [name for name in header.split(",") if "metrics" in name] == [
        f"{SCORE}:variants..metrics.perplexity.value"]
    assert "params.yaml" not in header


def test_one_changed_setting_is_one_line(repository: Path) -> None:
    path = repository / "params.yaml"
    head, key, tail = path.read_text().partition("  lm-lstm:\n")
    path.write_text(head + key + tail.replace("    hidden: ", "    hidden: 1", 1))
    header, *rows = dvc_says(repository, "params", "diff", "main").strip().split("\n")
    (row,) = rows
    assert row.split()[:2] == ["params.yaml", "systems.lm-lstm.hidden"]


def test_a_learning_curve_is_drawn_against_the_committed_one(repository: Path) -> None:
    write_json(repository / CURVE, [{**point, "validation_loss": 2.0} for point in POINTS])
    shown = json.loads(dvc_says(repository, "plots", "diff", "main", "--json"))
    (chart,) = shown["data"][CURVE]
    assert {(value["rev"], value["step"], value["validation_loss"])
            for value in chart["content"]["data"]["values"]} == {
        ("main", 10, 3.0), ("main", 20, 3.0), ("workspace", 10, 2.0), ("workspace", 20, 2.0)}


def test_the_curves_make_a_page(repository: Path, tmp_path: Path) -> None:
    dvc_says(repository, "plots", "diff", "main", "--out", str(tmp_path / "plots"))
    assert CURVE in (tmp_path / "plots/index.html").read_text()
