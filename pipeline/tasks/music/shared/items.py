"""The test items: pieces, and which of their predicted steps differ from the step before."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.storage.files import read_json, write_json
from pipeline.tasks.music.shared.rolls import Roll


@dataclass(frozen=True)
class Item:
    """A test piece.

    `predicted` counts its steps but the first; `changes` holds the places (from 0) among them
    where other keys sound than before.
    """

    id: str
    predicted: int
    changes: list[int]


def item_of(identity: str, roll: Roll) -> Item:
    changed = (roll[1:] != roll[:-1]).any(axis=1)
    return Item(identity, len(changed), np.flatnonzero(changed).tolist())


def write_items(directory: Path, items: list[Item]) -> None:
    write_json(directory / "items.json", [
        {"id": item.id, "predicted": item.predicted, "changes": item.changes} for item in items])


def read_items(directory: Path) -> list[Item]:
    return [Item(**entry) for entry in read_json(directory / "items.json")]
