"""A language model reads one's own text: how well it expected each line.

A line is a sentence, its words apart by spaces, or a line of characters, as the model was trained;
words are spelt as in its training text, and others count as <unk>. An empty line is a text too: its
end alone is predicted. All files are one text, read in the order given, and a network carries its
state (a cache, what it goes on learning) from line to line, as it does over the test text of its
track. A model of source code reads a file of Python as it was trained, function by function and
class by class, and passes over what stands between them; its line breaks are shown as it reads
them, so that an answer stays one line.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.corpora.line_breaks import BREAK
from pipeline.corpora.line_breaks import END as LINE_END
from pipeline.corpora.source_code import items
from pipeline.errors import UserError
from pipeline.storage.lines import read_lines
from pipeline.storage.predictions import Prediction
from pipeline.storage.words import words_in
from pipeline.tasks.contract import OwnFile, Record, Trained
from pipeline.tasks.language_model.features import closed, encode
from pipeline.tasks.language_model.shared.items import Item, write_items
from pipeline.tasks.language_model.shared.stream import END, UNKNOWN, Unit

TAKES = ("text, a sentence a line (of a model of words, words apart by spaces); for a model of "
         "source code also Python")
SUFFIXES = (".txt", ".py")
_CODE = ".py"
SHOWN = ("text", "perplexity", "bits_per_character")


def prepare(files: Sequence[OwnFile], trained: Trained, folder: Path) -> list[Record]:
    """Write the lines, or functions, as a test text.

    Raises UserError for a file that is not UTF-8 or empty, and for Python that is none, has no
    function, or is given to a model that knows no line breaks.
    """
    unit: Unit = trained.spec["unit"]
    vocabulary = trained.spec["vocabulary"]
    known = {*vocabulary} - {UNKNOWN}
    texts, records = [], []
    for file in files:
        for number, text in _texts_of(file, BREAK in known):
            texts.append(closed(words_in(text), f"{file.name}, line {number}") if unit == "word"
                         else [*text, END[unit]])
            records.append({"file": file.name, "line": number, "text": text,
                            "tokens": len(texts[-1]),
                            "unknown": sum(part not in known for part in texts[-1])})
    encode(texts, vocabulary).write(folder, "test")
    write_items(folder, unit, [Item(str(place), len(text), []) for place, text in enumerate(texts)])
    return records


def _texts_of(file: OwnFile, of_code: bool) -> list[tuple[int, str]]:
    """The number of the line in which each text of a file begins, and the text without its end."""
    lines = read_lines(file.path, file.name)
    if file.path.suffix.lower() != _CODE:
        return list(enumerate(lines, start=1))
    if not of_code:
        raise UserError(f"{file.name}: this model has not been trained on source code; name the "
                        "files of text alone, which do not end in .py")
    found = [(number, text.removesuffix(LINE_END)) for number, text in items(lines, file.name)]
    if not found:
        raise UserError(f"{file.name}: it has no function or class that begins at a line's "
                        "beginning, and nothing else of Python is read")
    return found


def present(item: Record, prediction: Prediction, trained: Trained) -> Iterator[Record]:
    """The line with its nats, and these as perplexity or as bits a character."""
    nats = math.fsum(prediction["nll"])
    mean = nats / item["tokens"]
    score = ({"perplexity": _digits(math.exp(min(mean, 700.0)))}
             if trained.spec["unit"] == "word" else
             {"bits_per_character": _digits(mean / math.log(2))})
    yield item | {"nats": _digits(nats)} | score


def _digits(value: float) -> float:
    return float(f"{value:.6g}")
