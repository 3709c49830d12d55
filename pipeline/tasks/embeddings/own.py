"""Vectors of words say which words are nearest to one's own.

A line is a word, spelt as in the training text of the track; its answer is a row for each of its
nearest words. A word that training has not seen often enough has no vector, and an empty line is no
word: each gets one row without a neighbour, so that nothing is passed over in silence.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.storage.lines import read_lines
from pipeline.storage.predictions import Prediction
from pipeline.storage.words import trimmed
from pipeline.tasks.contract import OwnFile, Record, Trained
from pipeline.tasks.embeddings.shared.items import Items
from pipeline.tasks.embeddings.shared.text import UNKNOWN

TAKES = "text, a word a line"
SUFFIXES = (".txt",)
SHOWN = ("word", "neighbour", "cosine")


def prepare(files: Sequence[OwnFile], trained: Trained, folder: Path) -> list[Record]:
    """Write the words as items. Raises UserError for a file that is not UTF-8 or empty."""
    records: list[Record] = [
        {"file": file.name, "line": number, "word": trimmed(line)}
        for file in files
        for number, line in enumerate(read_lines(file.path, file.name), start=1)]
    Items(known={*trained.spec["words"]} - {UNKNOWN},
          asked=[record["word"] for record in records]).write(folder)
    return records


def present(item: Record, prediction: Prediction, trained: Trained) -> Iterator[Record]:
    """A row for each neighbour, nearest first; one without a neighbour of an unknown word."""
    if not prediction.get("neighbours"):
        yield item | {"rank": None, "neighbour": None, "cosine": None}
        return
    pairs = zip(prediction["neighbours"], prediction["cosines"], strict=True)
    for rank, (neighbour, cosine) in enumerate(pairs, start=1):
        yield item | {"rank": rank, "neighbour": neighbour, "cosine": cosine}
