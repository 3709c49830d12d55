"""`unrolled predict --text`: what a user says about the files that are to be answered.

Some tasks need a text beside each file: what is said in a recording, before anything can tell when.
Their `own` says so by `NEEDS_TEXT`, and finds it in `OwnFile.text`. A text is given on the command
line for one file; for several in a list of lines `NAME TEXT`, where NAME is a file's without folder
and suffix, as LibriSpeech writes transcripts; or in a file beside each, of its name and `.txt`.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from pipeline.errors import UserError
from pipeline.storage.lines import read_lines
from pipeline.storage.words import is_blank, words_in

if TYPE_CHECKING:
    from pipeline.tasks.contract import Own, OwnFile, Record, Trained

Files = Sequence["OwnFile"]


@dataclass(frozen=True)
class Texts:
    """What the options say: one text, a list of them, or nothing."""

    text: str | None = None
    listed: Path | None = None

    def told(self, own: "Own") -> "Own":
        """The same `own`, told the text of each file if it needs one.

        Raises UserError for options that no task or not this one can use; and `prepare`, naming the
        file, where a text is missing.
        """
        if self.text is not None and self.listed is not None:
            raise UserError("--text and --texts are two ways to say the same; give one of them")
        if not hasattr(own, "NEEDS_TEXT"):
            if self != NO_TEXTS:
                raise UserError(f"{'--text' if self.listed is None else '--texts'}: this system "
                                f"answers {own.TAKES}, and needs no text with it; leave it out")
            return own
        return with_files(own, lambda files: self._beside(files, own.NEEDS_TEXT))

    def _beside(self, files: Files, needed: str) -> Files:
        if self.text is not None:
            if len(files) > 1:
                raise UserError(f"--text: these are {len(files)} files, and each needs {needed}; "
                                "give a list by --texts, or a .txt beside each")
            return [replace(file, text=self.text) for file in files]
        if self.listed is not None:
            texts = _read(self.listed)
            return [replace(file, text=_listed(file, texts, self.listed)) for file in files]
        return [replace(file, text=_from_neighbour(file, needed)) for file in files]


NO_TEXTS = Texts()


def with_files(own: "Own", change: Callable[[Files], Files]) -> "Own":
    """The same `own`, whose `prepare` is given what `change` makes of the files."""
    def prepare(files: Files, trained: "Trained", folder: Path) -> "list[Record]":
        return own.prepare(change(files), trained, folder)

    return cast("Own", SimpleNamespace(**{**vars(own), "prepare": prepare}))


def _read(path: Path) -> dict[str, str]:
    """Texts by name. Raises UserError naming the line that has no text, or a name a second time."""
    if not os.path.isfile(path):
        raise UserError(f"--texts {path}: there is no such file; give a list of lines 'NAME TEXT'")
    found: dict[str, str] = {}
    for number, line in enumerate(read_lines(path), start=1):
        if is_blank(line):
            continue
        name, _, text = line.partition("\t") if "\t" in line else line.lstrip().partition(" ")
        if is_blank(text):
            raise UserError(f"{path}, line {number}: {line[:60]!r} is no name and text; write "
                            "'NAME TEXT', with a tab between them if a name has spaces")
        if name in found:
            raise UserError(f"{path}, line {number}: a second text of {name[:60]!r}; remove one")
        found[name] = text
    return found


def _listed(file: "OwnFile", texts: dict[str, str], path: Path) -> str:
    name = Path(file.name).stem
    if name not in texts:
        raise UserError(f"{file.name}: {path} has no line that begins with {name!r}; add one, with "
                        "its text")
    return texts[name]


def _from_neighbour(file: "OwnFile", needed: str) -> str:
    path = file.path.with_suffix(".txt")
    if not os.path.isfile(path):
        raise UserError(f"{file.name}: the system needs {needed}; give it by --text "
                        f"\"...\", in a list by --texts, or in {path.name} beside it")
    return " ".join(words_in(" ".join(read_lines(path))))
