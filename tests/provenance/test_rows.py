"""A row's version changes with whatever its answers come from, and with nothing else."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.provenance.inputs import read_row_version
from pipeline.storage.files import write_text
from tests.tracked_project import SUITE, make_project, save_suite

Change = Callable[[dict[str, Any]], object]
WHOLE = {"root": ".", "suite": "", **SUITE}


def version_after(root: Path, change: Change, key: str = "recurrent") -> str:
    content = copy.deepcopy(WHOLE)
    change(content)
    return read_row_version(save_suite(root, content).places, key)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_project(tmp_path)
    return tmp_path


CHANGING: dict[str, Change] = {
    "corpus": lambda suite: suite["corpora"]["text"].update(lines=5),
    "features": lambda suite: suite["tracks"]["reading"].update(features={"width": 2}),
    "system": lambda suite: suite["systems"]["recurrent"].update(hidden=65),
    "training": lambda suite: suite["systems"]["recurrent"]["training"].update(epochs=6),
    "variant": lambda suite: suite["systems"]["recurrent"]["variants"]["beam"].update(width=9),
}
LEAVING: dict[str, Change] = {
    "nothing": lambda suite: None,
    "seed": lambda suite: suite.update(seed=7),
    "resamples": lambda suite: suite.update(resamples=101),
    "settings_tried": lambda suite: suite["systems"]["recurrent"].update(settings_tried=9),
    "another system": lambda suite: suite["systems"]["counting"].update(order=6),
    "title": lambda suite: suite["tracks"]["reading"].update(title="Another"),
}


@pytest.mark.parametrize("name", CHANGING)
def test_settings_of_every_stage_behind_a_row_change_it(root: Path, name: str) -> None:
    assert version_after(root, CHANGING[name]) != version_after(root, lambda suite: None)


@pytest.mark.parametrize("name", LEAVING)
def test_what_changes_no_answer_leaves_it(root: Path, name: str) -> None:
    assert version_after(root, LEAVING[name]) == version_after(root, lambda suite: None)


@pytest.mark.parametrize(("file", "changes"), [
    ("pipeline/corpora/text.py", True), ("pipeline/running/extraction.py", True),
    ("pipeline/tasks/reading/features.py", True), ("pipeline/common.py", True),
    ("pipeline/tasks/reading/systems/recurrent.py", True),
    ("pipeline/running/evaluation.py", True), ("pipeline/tasks/reading/scoring.py", True),
    ("pipeline/tasks/reading/systems/counting.py", False),
    ("pipeline/tasks/reading/figures.py", False),
    ("pipeline/results/leaderboard.py", False)])
def test_code_of_every_stage_behind_a_row_changes_it(root: Path, file: str, changes: bool) -> None:
    before = version_after(root, lambda suite: None)
    write_text(root / file, "CHANGED = 1\n")
    assert (version_after(root, lambda suite: None) != before) is changes


def test_data_leave_it_since_machines_differ_in_last_digits(root: Path) -> None:
    before = version_after(root, lambda suite: None)
    write_text(root / "features/reading/fit/spec.json", '{"other": 1}\n')
    assert version_after(root, lambda suite: None) == before
