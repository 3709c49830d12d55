"""A sentence classifier labels one's own sentences; trained on stories, it answers questions.

A line of a text file is a sentence whose words, punctuation marks among them, stand apart by spaces
as in the training text; an empty line gets an empty answer, so that lines stay aligned. A model of
questions takes bAbI's format: numbered lines, 1 beginning a new story, and a question, which ends
in `?`, is about the lines of its story before it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.corpora.babi import questions
from pipeline.errors import UserError
from pipeline.storage.files import write_json
from pipeline.storage.lines import read_lines
from pipeline.storage.predictions import Prediction
from pipeline.storage.sequences import write_sequences
from pipeline.storage.words import words_in
from pipeline.tasks.contract import OwnFile, Record, Trained
from pipeline.tasks.sentence.features import UNKNOWN, encode, spelt
from pipeline.tasks.sentence.scoring import answer, probabilities

TAKES = ("text, a sentence a line with its words apart by spaces; of a model that answers "
         "questions, numbered lines of facts and questions as in bAbI")
SUFFIXES = (".txt",)
SHOWN = ("text", "label", "probability")


def prepare(files: Sequence[OwnFile], trained: Trained, folder: Path) -> list[Record]:
    """Write the sentences as test items. Raises UserError naming file and line of what is none."""
    vocabulary = trained.spec["words"]
    known = {*vocabulary} - {UNKNOWN}
    read = _asked if trained.spec["stories"] else _sentences
    sentences, records = [], []
    for file in files:
        for line, text, words in read(file):
            spelled = spelt(words, trained.spec["lowercase"])
            # A system has no answer to nothing: a word stands in, and its answer is not shown.
            sentences.append(spelled or [UNKNOWN])
            records.append({"file": file.name, "line": line, "text": text, "words": len(words),
                            "unknown": sum(word not in known for word in spelled)})
    write_sequences(folder, "test", encode(sentences, vocabulary))
    write_json(folder / "items.json", [{"id": str(place)} for place in range(len(sentences))])
    return records


def present(item: Record, prediction: Prediction, trained: Trained) -> Iterator[Record]:
    """The sentence with its most probable label and that label's probability."""
    found = probabilities(prediction)
    label = answer(found)
    yield item | ({"label": label, "probability": found[label]} if item["words"] else
                  {"label": None, "probability": None})


def _sentences(file: OwnFile) -> Iterator[tuple[int, str, list[str]]]:
    """Line, text and words of each sentence."""
    for number, line in enumerate(read_lines(file.path, file.name), start=1):
        yield number, line, words_in(line)


def _asked(file: OwnFile) -> Iterator[tuple[int, str, list[str]]]:
    """Line and text of each question, and the words of its story so far and of itself."""
    found = [(asked.line, asked.text, asked.words)
             for asked in questions(read_lines(file.path, file.name), file.name)]
    if not found:
        raise UserError(f"{file.name} has no question: a line such as '3 Where is Mary?' after "
                        "the lines of its story")
    yield from found
