"""The command line that all stages share: which params.yaml, and which of its entries."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from pipeline.processes import end_with_dvc
from pipeline.suite.places import Places

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class StageArguments:
    """`places` are those of the suite whose params.yaml is named; `key` is the stage's entry."""

    params: Path
    places: Places
    key: str


def stage_arguments(entry: str | None = None) -> StageArguments:
    """Parse `<params.yaml> [<key>]`; `entry` says what the key names, None that there is none."""
    end_with_dvc()
    parser = argparse.ArgumentParser(description=f"A stage of dvc.yaml ({entry or 'whole suite'}).")
    parser.add_argument("params", type=Path, help="the suite's params.yaml, below the project")
    if entry:
        parser.add_argument("key", help=f"the {entry}'s name in params.yaml")
    found = parser.parse_args()
    folder = found.params.resolve().parent
    if folder != ROOT and folder.parent != ROOT:
        parser.error(f"{found.params} is no params.yaml of the project in {ROOT}")
    suite = "" if folder == ROOT else f"{folder.name}/"
    return StageArguments(found.params, Places(ROOT, suite), getattr(found, "key", ""))
