"""UD English EWT, web text with tags in CoNLL-U, and its embedded twin.

CoNLL-U has a word a line with ten columns apart by tabs, comments with `#`, and an empty line after
each sentence; column 4 is the universal tag (UPOS), column 5 the Penn Treebank's (XPOS). A line
whose id is a range (`2-3`, "don't" before it is split) or has a point (`8.1`, a word that is not
written) is no word and is skipped (Silveira et al. 2014, "A Gold Standard Dependency Corpus for
English"; de Marneffe et al. 2021, "Universal Dependencies"). A comment `# newdoc id = ...` begins a
document, which goes on to the next one. The twin is `pipeline.corpora.twins.ewt_twin`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.corpora.fetching.files import fetch, listing
from pipeline.corpora.kinds import TaggedSentence
from pipeline.corpora.twins.ewt_twin import TwinSettings, write_twin
from pipeline.entries import CorpusSettings
from pipeline.errors import UserError
from pipeline.storage.lines import read_lines
from pipeline.storage.words import is_blank, trimmed

Split = Literal["train", "dev", "test"]
Column = Literal["upos", "xpos"]

COLUMNS = 10
FORM = 1
_PLACES: dict[Column, int] = {"upos": 3, "xpos": 4}
_SOURCE = "https://raw.githubusercontent.com/UniversalDependencies/UD_English-EWT/master"

FILES = listing("ud_ewt", _SOURCE, {
    "en_ewt-ud-train.conllu": (
        14203025, "3fb78e2b55482c8ee00caa653af436c88c9e5bc9a73ce26e4ae3ddc79d2b7e7b"),
    "en_ewt-ud-dev.conllu": (
        1805545, "531a54ff90d6ab12201c5a50c3e78e6ddac4de69abc4bce5d275d3cd29efe2b6"),
    "en_ewt-ud-test.conllu": (
        1804515, "e266e515a0a7547657ed3d90d9ba46487d6bd251f27ad4269d4e8a427c8555cd"),
})


class Settings(CorpusSettings):
    """Downloaded (`twin: null`) or generated."""

    twin: TwinSettings | None


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Write the CoNLL-U files of the three splits into `directory`."""
    if settings.twin is None:
        fetch(FILES, directory, mirror)
    else:
        write_twin(settings.twin, directory)


def tagged(directory: Path, split: Split, column: Column) -> list[TaggedSentence]:
    """The sentences of a split with the tags of a column; those of a document are a cluster.

    Raises UserError naming file and line for what is not CoNLL-U, for a word without a tag, and for
    a sentence of which nobody knows the document.
    """
    path = directory / f"en_ewt-ud-{split}.conllu"
    found: list[TaggedSentence] = []
    sentences: dict[str, int] = {}
    documents: dict[str, int] = {}
    for number, block in enumerate(word_lines(read_lines(path), str(path)), start=1):
        identity, line = block.id or f"{split}-{number:05d}", block.words[0][0]
        _check_once(path, "sentences", sentences, identity, line)
        if not block.document:
            raise UserError(f"{path}, line {line}: no '# newdoc' stands before this sentence, so "
                            "nobody knows its document; fetch or generate the corpus again")
        _check_once(path, "documents", documents, block.document, block.document_line)
        found.append(TaggedSentence(identity, [cells[FORM] for _, cells in block.words],
                                    _tags(path, block, column), cluster=block.document))
    if not found:
        raise UserError(f"{path} holds no sentences; fetch or generate the corpus again")
    return found


def _check_once(path: Path, kind: str, lines: dict[str, int], identity: str, line: int) -> None:
    if (first := lines.setdefault(identity, line)) != line:
        raise UserError(f"{path}: the {kind} at lines {first} and {line} have one id, "
                        f"{identity!r}; fetch or generate the corpus again")


def _tags(path: Path, block: "Block", column: Column) -> list[str]:
    tags = [cells[_PLACES[column]] for _, cells in block.words]
    for (line, cells), tag in zip(block.words, tags, strict=True):
        if tag in ("", "_"):
            raise UserError(f"{path}, line {line}: {cells[FORM]!r} has no {column.upper()} tag; "
                            "choose a column that this treebank fills")
    return tags


@dataclass(frozen=True)
class Block:
    """A sentence of a CoNLL-U file; a word is its line's number and its cells.

    `id` is that of its comments, or ''. `document` is the id of its document, or another name for
    one without id, or '' before the first; `document_line` is where that begins.
    """

    id: str
    document: str
    document_line: int
    words: list[tuple[int, list[str]]]


def word_lines(lines: Sequence[str], name: str) -> Iterator[Block]:
    """The sentences of `lines`, which are those of the file that is called `name`.

    Raises UserError for what is not CoNLL-U.
    """
    words: list[tuple[int, list[str]]] = []
    identity, begun = "", False
    document, document_line = "", 0
    for number, line in enumerate([*lines, ""], start=1):
        if is_blank(line):
            if begun and not words:
                raise UserError(f"{name}, line {number}: a sentence ends that has no words; "
                                "remove its comments or fetch the corpus again")
            if begun:
                yield Block(identity, document, document_line, words)
            identity, words, begun = "", [], False
            continue
        begun = True
        if line.startswith("#"):
            key, _, value = line[1:].partition("=")
            value = value.removeprefix(" ")
            if trimmed(key) == "sent_id":
                identity = value
            elif trimmed(key) in ("newdoc", "newdoc id"):
                document, document_line = value or f"newdoc of line {number}", number
        elif (cells := _cells(name, number, line, len(words))) is not None:
            words.append((number, cells))


def _cells(name: str, number: int, line: str, before: int) -> list[str] | None:
    """The cells of a word's line, None for a range or an empty node."""
    cells = line.split("\t")
    if len(cells) != COLUMNS:
        raise UserError(f"{name}, line {number}: expected {COLUMNS} columns apart by tabs, got "
                        f"{len(cells)}; mend the line, or fetch or generate the corpus again")
    parts = cells[0].replace("-", ".").split(".")
    if len(parts) == 2 and all(part.isdecimal() for part in parts):
        return None
    if cells[0] != str(before + 1) or not cells[FORM]:
        raise UserError(f"{name}, line {number}: expected word {before + 1} of the sentence, got "
                        f"id {cells[0]!r} and form {cells[FORM]!r}; fetch or generate the corpus "
                        "again")
    return cells
