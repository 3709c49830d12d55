"""The test items: each sentence's or line's id, and which of its units depend on the far past."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UserError
from pipeline.storage.files import read_json, write_json
from pipeline.tasks.language_model.shared.stream import Stream, Unit


@dataclass(frozen=True)
class Item:
    """A test sentence, or a line of characters.

    `marked` holds the positions (from 0) of units that depend on, or belong to a word that depends
    on, something more than four words back, and is empty where the corpus knows no such marks.
    `length` counts units, the end included.
    """

    id: str
    length: int
    marked: list[int]


def write_items(directory: Path, unit: Unit, items: list[Item]) -> None:
    write_json(directory / "items.json", {
        "unit": unit, "items": [{"id": item.id, "marked": item.marked} for item in items]})


def read_unit(directory: Path) -> Unit:
    """What the test text is cut into."""
    return read_json(directory / "items.json")["unit"]


def read_items(directory: Path) -> list[Item]:
    """Raises UserError when the items and the test text do not line up."""
    entries = read_json(directory / "items.json")["items"]
    lengths = Stream.read(directory, "test").lengths.tolist()
    if len(entries) != len(lengths):
        raise UserError(f"{directory}: {len(entries)} items but {len(lengths)} texts in "
                        "test.lengths.npy; run the features stage again")
    return [Item(entry["id"], length, entry["marked"])
            for entry, length in zip(entries, lengths, strict=True)]
