"""The version of a model that a clone has pulled: from the lock, without features or costs."""

import hashlib
import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.provenance.inputs import trained_version, version_of
from pipeline.provenance.lock import Lock, folder_hash
from pipeline.storage.files import write_json
from pipeline.storage.seal import read_sealed, write_sealed
from pipeline.suite.places import Places


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A suite in which system `a` of track `t` has been trained."""
    places = Places(tmp_path)
    write_sealed(places.input("train", "a"), {
        "settings": {"track": "t", "run": {"seed": 1}}, "code": {"a.py": "0123"}})
    write_json(places.fit("t") / "items.json", [1, 2])
    data = {"path": "features/t/fit", "hash": "md5", "md5": folder_hash(places.fit("t"))}
    inputs = places.input("train", "a").read_bytes()
    deps = [data, {"path": "inputs/train/a.json", "hash": "md5",
                   "md5": hashlib.md5(inputs).hexdigest()}]
    YAML().dump({"schema": "2.0", "stages": {
        "features@t": {"cmd": "", "outs": [data]}, "train@a": {"cmd": "", "deps": deps}}},
        places.lock)
    return places


def test_it_is_the_version_that_was_trained(places: Places) -> None:
    trained = version_of(places, "a")
    for file in places.fit("t").iterdir():
        file.unlink()
    assert trained_version(places, "a", Lock(places)) == trained


def test_there_is_none_where_settings_or_code_have_changed(places: Places) -> None:
    path = places.input("train", "a")
    write_sealed(path, read_sealed(path, "") | {"code": {"a.py": "4567"}})
    assert trained_version(places, "a", Lock(places)) is None


def test_there_is_none_of_what_was_never_trained(places: Places) -> None:
    shutil.copyfile(places.input("train", "a"), places.input("train", "b"))
    assert trained_version(places, "b", Lock(places)) is None
