"""Probes as a file of one's own."""

from pathlib import Path

from pipeline.storage.files import write_text
from pipeline.storage.predictions import Prediction
from pipeline.tasks.embeddings.shared.items import Items


def write_raw(test: Path, folder: Path, corpus: Path) -> list[Path]:
    """Write the probes of a features folder as a user would hold them."""
    write_text(folder / "words.txt", "".join(f"{word}\n" for word in Items.read(test).words))
    return [folder / "words.txt"]


def expected(found: list[Prediction]) -> list[Prediction]:
    """Of the answers to all test items those to what `write_raw` writes."""
    return [answer for answer in found if "neighbours" in answer]
