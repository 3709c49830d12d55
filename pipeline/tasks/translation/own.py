"""An encoder-decoder network translates one's own text.

A line is a sentence, written as the track's corpus writes it: nothing is tokenised or lower-cased
by hand. An empty line is translated by an empty line, so that lines stay aligned.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.storage.lines import read_lines
from pipeline.storage.predictions import Prediction
from pipeline.storage.words import is_blank
from pipeline.tasks.contract import OwnFile, Record, Trained
from pipeline.tasks.translation.features import write_sources
from pipeline.tasks.translation.shared.tokenizer import Tokenizer, piece_model

TAKES = "text in the source language, a sentence a line"
SUFFIXES = (".txt",)
SHOWN = ("translation",)


def prepare(files: Sequence[OwnFile], trained: Trained, folder: Path) -> list[Record]:
    """Write the lines as test sources. Raises UserError for a file that is not UTF-8 or empty."""
    source = Tokenizer(piece_model(trained.artefacts, "source"))
    records: list[Record] = [
        {"file": file.name, "line": number, "text": line}
        for file in files
        for number, line in enumerate(read_lines(file.path, file.name), start=1)]
    write_sources(folder, [{"id": str(place), "source": record["text"]}
                           for place, record in enumerate(records)], source)
    return records


def present(item: Record, prediction: Prediction, trained: Trained) -> Iterator[Record]:
    """The sentence with its translation; a line without words has none."""
    yield item | {"translation": "" if is_blank(item["text"]) else prediction["hypothesis"]}
