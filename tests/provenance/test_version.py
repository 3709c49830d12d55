import os
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.provenance.version import Version, params_hash, system_version
from pipeline.suite.schema import Suite
from tests.tracked_project import SUITE, make_project, save_suite


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return make_project(tmp_path)


def version(root: Path, suite: Suite, seed: int = 1) -> Version:
    return system_version(root, suite, "recurrent", seed)


def changed(before: Version, after: Version) -> set[str]:
    return {name for name, value in asdict(before).items() if asdict(after)[name] != value}


def edited(root: Path, **entry: object) -> Suite:
    recurrent = {**SUITE["systems"]["recurrent"], **entry}
    return save_suite(root, {"root": ".", "suite": "", **SUITE, "systems": {
        **SUITE["systems"], "recurrent": recurrent}})


def test_settings_of_the_system_and_of_the_suite_change_the_params(tmp_path, suite) -> None:
    before = version(tmp_path, suite)
    assert changed(before, version(tmp_path, suite, seed=2)) == {"params", "hash"}
    for name, value in (("seed", 2), ("threads", 2), ("device", "auto"), ("precision", "auto")):
        after = save_suite(tmp_path, {"root": ".", "suite": "", **SUITE, name: value})
        assert changed(before, version(tmp_path, after, after.seed)) == {"params", "hash"}, name
    after = edited(tmp_path, training={"epochs": 5, "learning_rate": 0.2})
    assert changed(before, version(tmp_path, after)) == {"params", "hash"}


def test_what_training_does_not_read_changes_nothing(tmp_path, suite) -> None:
    before = version(tmp_path, suite)
    after = edited(tmp_path, settings_tried=9, variants={"beam": {"width": 16}})
    (tmp_path / "pipeline" / "tasks" / "reading" / "counting.py").write_text("changed = 1")
    (tmp_path / "pipeline" / "tracking.py").write_text("changed = 1")
    (tmp_path / "features" / "reading" / "test").mkdir()
    (tmp_path / "features" / "reading" / "test" / "items.json").write_text("[]")
    assert version(tmp_path, after) == before


def test_features_change_the_data_hash_by_content_and_by_name(tmp_path, suite) -> None:
    fit = tmp_path / "features" / "reading" / "fit"
    before = version(tmp_path, suite)
    (fit / "train.npy").write_bytes(b"123")
    added = version(tmp_path, suite)
    (fit / "train.npy").write_bytes(b"124")
    altered = version(tmp_path, suite)
    (fit / "train.npy").rename(fit / "valid.npy")
    renamed = version(tmp_path, suite)
    for one, other in ((before, added), (added, altered), (altered, renamed)):
        assert changed(one, other) == {"data", "hash"}


@pytest.mark.parametrize("file", ["stages/train.py", "pipeline/common.py",
                                  "pipeline/tasks/reading/recurrent.py"])
def test_code_that_training_walks_changes_the_code_hash(tmp_path, suite, file: str) -> None:
    before = version(tmp_path, suite)
    with (tmp_path / file).open("a") as code:
        code.write("MORE = 2\n")
    assert changed(before, version(tmp_path, suite)) == {"code", "hash"}


def test_neither_folder_nor_dates_matter(tmp_path, suite) -> None:
    before = version(tmp_path, suite)
    for path in tmp_path.rglob("*"):
        os.utime(path, (0, 0))
    moved = tmp_path.parent / f"{tmp_path.name}-moved"
    shutil.copytree(tmp_path, moved)
    assert version(moved, suite) == before
    assert all(len(part) == 16 for part in asdict(before).values())


def test_a_record_is_compared_with_params_yaml_alone(tmp_path, suite) -> None:
    assert params_hash(suite, "recurrent", 1) == version(tmp_path, suite).params


def test_missing_features_are_named(tmp_path, suite) -> None:
    shutil.rmtree(tmp_path / "features")
    with pytest.raises(UserError, match="features/reading/fit does not exist; run"):
        version(tmp_path, suite)
