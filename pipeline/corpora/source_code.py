"""The project's own code as it once stood: functions and classes that end by themselves.

A network that is trained on a program character by character learns to close what it opens
(Karpathy 2015, "The unreasonable effectiveness of recurrent neural networks"). Here it learns to
stop as well. One item is one function or class that begins at a line's beginning, with its
decorators and docstring, and the newline that closes every text of characters closes it: that is
its natural end; a line break within it is another character (`line_breaks`). Imports, constants
and what stands between the items are left out.

The text is a snapshot (`pipeline.corpora.twins.source_snapshot`), so no later commit changes it: an
archive beside this module whose members are checked by a listing. No file is in two splits, and the
items of a file are one cluster.
"""

import ast
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import Field

from pipeline.corpora.fetching.archives import RemoteArchive, place
from pipeline.corpora.kinds import Line
from pipeline.corpora.line_breaks import BREAK, END, as_item
from pipeline.entries import CorpusSettings
from pipeline.errors import UserError
from pipeline.storage.folders import files_in
from pipeline.storage.lines import read_lines

Split = Literal["train", "valid", "test"]

_HERE = Path(__file__).parent
_FOLDER = "source_code"


@dataclass(frozen=True)
class Snapshot(RemoteArchive):
    """The archive, of which `most` files of each split are wanted (None: all)."""

    most: int | None = None

    def members(self) -> dict[str, str]:
        found = super().members()
        return {name: digest for split in ("train", "valid", "test")
                for name, digest in [(name, digest) for name, digest in found.items()
                                     if name.startswith(f"{split}/")][: self.most]}


ARCHIVE = Snapshot(
    path=f"{_FOLDER}.tar.gz", mirror=f"{_FOLDER}.tar.gz", url=None, folder=_FOLDER,
    listing=_HERE / f"{_FOLDER}_members.sha256",
    sha256="2ba1e028c8d21792b6110983de223576f4220c7c53d7c387fa12c89022fac497")


class Settings(CorpusSettings):
    """The snapshot, or the first files of each split."""

    files: int | None = Field(None, ge=1, description="of each split, at most; null: all")

    def smallest(self) -> Self:
        return self.model_copy(update={"files": 2})


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Unpack the snapshot into `directory/source_code/<split>`; a mirror has no copy of it.

    Raises UserError when the archive beside this module is not the one it should be.
    """
    archive = Snapshot(ARCHIVE.path, ARCHIVE.mirror, None, sha256=ARCHIVE.sha256,
                       folder=_FOLDER, listing=ARCHIVE.listing, most=settings.files)
    packed = _HERE / ARCHIVE.path
    if (flaw := archive.flaw(packed)) is not None:
        raise UserError(f"{packed} is part of the project and was altered ({flaw}); take it from "
                        "there again")
    place(archive, directory, _HERE)


def lines(directory: Path, split: Split) -> list[Line]:
    """The functions and classes of a split, by file and place.

    An id is `nn/cells.py:41`, the file and the line in which the item begins. Raises UserError
    naming file and line for what is no Python, and for a split without items.
    """
    folder = directory / _FOLDER / split
    found = [Line(f"{name}:{number}", text, [], cluster=name)
             for path in files_in(folder, "**/*.py")
             for name in [path.relative_to(folder).as_posix()]
             for number, text in items(read_lines(path), str(path))]
    if not found:
        raise UserError(f"{folder} has no function or class; fetch the corpus again")
    return found


def items(code: list[str], name: str) -> list[tuple[int, str]]:
    """The number of its first line, from 1, and the text of each item of a file's lines.

    `name` is how errors call the file. Raises UserError for what is no Python, and for a character
    that an item cannot hold.
    """
    return [(start, as_item("\n".join(code[start - 1 : end])) + END)
            for start, end in _spans(code, name)]


def _spans(code: list[str], name: str) -> list[tuple[int, int]]:
    """First and last line of each function and class at the beginning of a line."""
    for number, line in enumerate(code, start=1):
        if BREAK in line or "\r" in line:
            raise UserError(f"{name}, line {number}: it holds {BREAK!r}, which stands for a line "
                            "break, or a carriage return within the line; remove the character")
    try:
        # An odd escape in a string is the code's own affair.
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse("\n".join(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        place = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise UserError(f"{name}{place}: this is no Python ({error}); put the code right, or fetch "
                        "the corpus again") from None
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            decorated = [each.lineno for each in node.decorator_list]
            found.append((min([node.lineno, *decorated]), node.end_lineno or node.lineno))
    return found
