"""A project whose suite is one small network that adds, for tests of commands that train it."""

from pathlib import Path

from ruamel.yaml import YAML

from pipeline.suite.schema import read_yaml

KEY, TRACK = "addition-gru", "addition"


def small_project(folder: Path, root: Path, **entry: object) -> Path:
    """Make it in `folder` with the code of `root`; `entry` are settings of the network."""
    folder.mkdir()
    for name in ("pipeline", "stages"):
        (folder / name).symlink_to(root / name)
    raw = read_yaml(root / "params.yaml")
    raw["claims"], raw["resamples"] = [], 100
    raw["tracks"] = {TRACK: raw["tracks"][TRACK] | {"floor": None}}
    raw["corpora"] = {"sums": raw["corpora"]["sums"] | {"train": 60, "valid": 10, "test": 10}}
    whole = raw["systems"][KEY]
    raw["systems"] = {KEY: whole | {
        "updates": 5, "training": whole["training"] | {"epochs": 2}, **entry}}
    YAML().dump(raw, folder / "params.yaml")
    return folder
