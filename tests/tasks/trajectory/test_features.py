"""Units are those of the training split, and test paths are read by scoring alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.storage.files import read_json, sha256
from pipeline.tasks.trajectory import features
from tests.tasks.trajectory.conftest import reader, trajectories

SETTINGS = features.Settings(machine="arm")


def test_units_are_those_of_the_training_paths_behind_their_starts(extracted: Path) -> None:
    states = np.concatenate([one.states[1:] for one in trajectories(extracted, "arm", "train")])
    spec = read_json(extracted / "fit/spec.json")
    assert spec["mean"] == pytest.approx(states.mean(axis=0))
    assert spec["scale"] == pytest.approx(np.std(states, axis=0))
    assert (spec["coordinates"], spec["steps"]) == (["x", "y"], 6)
    assert read_json(extracted / "test/items.json")["scale"] == spec["scale"]
    assert read_json(extracted / "test/ceiling.json")["nrmse"] == 0


def test_starts_are_the_first_states(extracted: Path) -> None:
    whole, starts = (np.load(extracted / f"test/{name}.npy") for name in ("test", "starts"))
    assert whole.shape == (12, 7, 2)
    assert np.array_equal(starts, whole[:, 0])


def test_test_paths_change_nothing_that_training_reads(extracted: Path, tmp_path: Path) -> None:
    def other(directory: Path, machine: str, split: str):
        return trajectories(directory, machine, split)[: 3 if split == "test" else None]

    features.extract(SETTINGS, tmp_path, reader(other), tmp_path / "fit", tmp_path / "test")
    for path in (extracted / "fit").iterdir():
        assert sha256(path) == sha256(tmp_path / "fit" / path.name)
    assert not list((tmp_path / "fit").glob("*test*"))


@pytest.mark.parametrize(("part", "change", "message"), [
    ("valid", lambda one: replace(one, times=2 * one.times), "arm's valid split has other times"),
    ("train", lambda one: replace(one, states=one.states * [1, 0]), "coordinate of the arm never"),
])
def test_what_cannot_be_used_is_named(tmp_path: Path, part: str, change, message: str) -> None:
    def other(directory: Path, machine: str, split: str):
        found = trajectories(directory, machine, split)
        return [change(one) for one in found] if split == part else found

    with pytest.raises(UserError, match=message):
        features.extract(SETTINGS, tmp_path, reader(other), tmp_path, tmp_path)
