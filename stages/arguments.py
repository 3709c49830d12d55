"""The command line that all stages share: which params.yaml, and which of its entries."""

import argparse
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class StageArguments:
    """`params` is the suite's params.yaml; `key` names the entry that the stage is about."""

    params: Path
    key: str
    root: Path


def stage_arguments(entry: str | None = None) -> StageArguments:
    """Parse `<params.yaml> [<key>]`; `entry` says what the key names, None that there is none."""
    parser = argparse.ArgumentParser(description=f"A stage of dvc.yaml ({entry or 'whole suite'}).")
    parser.add_argument("params", type=Path, help="the suite's params.yaml")
    if entry:
        parser.add_argument("key", help=f"the {entry}'s name in params.yaml")
    found = parser.parse_args()
    return StageArguments(found.params, getattr(found, "key", ""), ROOT)
