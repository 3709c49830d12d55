"""A tagger tags one's own sentences.

A line of a text file is a sentence whose words, punctuation marks among them, stand apart by
spaces, as a treebank splits them. Of a CoNLL-U file (`.conllu`) the words are its forms, whatever
tags it has. An empty line is a sentence without words and is answered by one without tags, so that
lines stay aligned.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.corpora.ud_ewt import FORM, word_lines
from pipeline.errors import UserError
from pipeline.storage.files import write_json
from pipeline.storage.lines import read_lines
from pipeline.storage.predictions import Prediction
from pipeline.storage.words import words_in
from pipeline.tasks.contract import OwnFile, Record, Trained
from pipeline.tasks.tagging.shared.text import Text

TAKES = "text, a sentence a line with its words apart by spaces, or CoNLL-U (.conllu)"
SUFFIXES = (".txt", ".conllu")
SHOWN = ("tagged",)
_INNER_SPACE = "\N{NO-BREAK SPACE}"  # of a form such as '10 000', so that words can be told apart


def prepare(files: Sequence[OwnFile], trained: Trained, folder: Path) -> list[Record]:
    """Write the sentences as a test text. Raises UserError naming file and line of what is none."""
    sentences = [(file.name, line, words) for file in files for line, words in _sentences(file)]
    Text.of([words for _, _, words in sentences]).write(folder, "test")
    write_json(folder / "items.json", [{"id": str(place)} for place in range(len(sentences))])
    return [{"file": name, "line": line,
             "text": " ".join(word.replace(" ", _INNER_SPACE) for word in words)}
            for name, line, words in sentences]


def present(item: Record, prediction: Prediction, trained: Trained) -> Iterator[Record]:
    """The sentence with its tags, and both together as word/tag."""
    tags = prediction["tags"]
    words = item["text"].split(" ") if tags else []
    tagged = [f"{word}/{tag}" for word, tag in zip(words, tags, strict=True)]
    yield item | {"tags": " ".join(tags), "tagged": " ".join(tagged)}


def _sentences(file: OwnFile) -> Iterator[tuple[int, list[str]]]:
    """Line and words of each sentence; that of several lines is at the line of its first word."""
    lines = read_lines(file.path, file.name)
    if file.path.suffix.lower() != ".conllu":
        yield from ((number, words_in(line)) for number, line in enumerate(lines, start=1))
        return
    found = [(block.words[0][0], [cells[FORM] for _, cells in block.words])
             for block in word_lines(lines, file.name)]
    if not found:
        raise UserError(f"{file.name} holds no sentences")
    yield from found
