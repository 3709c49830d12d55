"""The test items: each sentence's id, and which of its words depend on something far back."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UserError
from pipeline.files import read_json, write_json
from pipeline.tasks.language_model.shared.stream import Stream


@dataclass(frozen=True)
class Item:
    """A test sentence.

    `marked` holds the positions (from 0) of words that depend on something more than four words
    back, and is empty where the corpus knows no such marks. `length` counts tokens, the end of the
    sentence included.
    """

    id: str
    length: int
    marked: list[int]


def write_items(directory: Path, items: list[Item]) -> None:
    write_json(directory / "items.json",
               [{"id": item.id, "marked": item.marked} for item in items])


def read_items(directory: Path) -> list[Item]:
    """Raises UserError when the items and the test text do not line up."""
    entries = read_json(directory / "items.json")
    lengths = Stream.read(directory, "test").lengths.tolist()
    if len(entries) != len(lengths):
        raise UserError(f"{directory}: {len(entries)} items but {len(lengths)} sentences in "
                        "test.lengths.npy; run the features stage again")
    return [Item(entry["id"], length, entry["marked"])
            for entry, length in zip(entries, lengths, strict=True)]
