"""`unrolled predict --format`: answers as text, CSV or JSON, or in the formats of other programs.

The latter are a task's own (`FORMATS` of its `own.py`, see `pipeline.tasks.contract`). A file of
such a format holds the answer to one file, or to several where the format says so (CTM). Several
answers that cannot be one file go into a folder, each into a file that is called as the answered
one is. All places are looked at before anything is predicted, and all answers are there before the
first is written.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from pipeline.commands.outs import STDOUT, checked_folder, checked_out, write_lines
from pipeline.commands.predicting import Form, answering_of, predict_lines
from pipeline.commands.texts import NO_TEXTS, Texts, with_files
from pipeline.errors import UserError
from pipeline.modules import task_module, tasks

if TYPE_CHECKING:
    from pipeline.running.answering import Answering
    from pipeline.tasks.contract import FileFormat, Own, OwnFile, Record

_FORMS = get_args(Form)
_TASKS = Path(__file__).parents[1] / "tasks"


def write_answers(row: str, files: Sequence[str], form: str, out: Path | None,
                  params: Callable[[], Path], texts: Texts = NO_TEXTS) -> None:
    """Write the answers to `files` in the format `form`, to `out` or to standard output.

    `row`, `params` and `texts` are as for `predict_lines`. Raises UserError, and writes nothing,
    for a format that the system's task or the system does not know, a place that cannot be written,
    and whatever `predict_lines` refuses.
    """
    if form in _FORMS:
        place = checked_out(out, files)
        write_lines(predict_lines(row, files, cast(Form, form), params, texts), place)
        return
    by_task = task_formats()
    if form not in {name for names in by_task.values() for name in names}:
        raise UserError(f"--format: there is no format {form!r}; {_known(_FORMS, by_task)}")
    answering = answering_of(row, params, texts)
    answers = _Answers(form, _format_of(answering, row, form, by_task), out, files)
    watched = replace(answering, own=_watched(answering.own, answers.look))
    for _, rows in groupby(watched.predict(files), lambda record: record["file"]):
        answers.add(list(rows))
    answers.write()


def task_formats() -> dict[str, list[str]]:
    """The names of the formats of each task that has any."""
    # Read before they are imported, which takes long.
    return {task: list(task_module(task, "own").FORMATS) for task in tasks()
            if "\nFORMATS" in (_TASKS / task / "own.py").read_text("utf-8")}


class _Answers:
    """Answers in a format, and where they go: all to one place, or each to its own in a folder."""

    def __init__(self, form: str, kind: "FileFormat", out: Path | None,
                 names: Sequence[str]) -> None:
        self._form, self._kind = form, kind
        self._out = None if out == STDOUT else out
        self._names = names
        self._place: Path | None = None
        self._folder: Path | None = None
        self._places: dict[str, Path | None] = {}
        self._texts: dict[str, str] = {}

    def look(self, files: Sequence["OwnFile"]) -> None:
        """Raise UserError where the answers to these files cannot be told apart or written."""
        _check_names(files)
        inputs = [str(file.path) for file in files]
        if not self._into_folder(files):
            if len(files) > 1 and not self._kind.joined:
                raise UserError(f"--format {self._form}: these are {len(files)} files, and each "
                                "has an answer of its own; name a folder for them with --out")
            self._place = checked_out(self._out, inputs)
            return
        assert self._out is not None
        self._folder = checked_folder(self._out)
        if not os.path.isdir(self._folder):
            checked_out(self._folder, inputs)  # no folder grows in that of a trained system
        for file in files:
            place = self._folder / f"{Path(file.name).stem}{self._kind.suffix}"
            self._places[file.name] = (checked_out(place, inputs) if os.path.isdir(self._folder)
                                       else place)

    def _into_folder(self, files: Sequence["OwnFile"]) -> bool:
        """A folder that is there is meant as one; a folder of files asks for one, of any number."""
        if self._out is None:
            return False
        several = len(files) > 1 or any(map(os.path.isdir, self._names))
        return os.path.isdir(self._out) or (several and not self._kind.joined)

    def add(self, rows: list["Record"]) -> None:
        """Take the rows of the answer to one file."""
        self._texts[str(rows[0]["file"])] = self._kind.text(rows)

    def write(self) -> None:
        """Write all of them; each file is whole, or as it was."""
        if self._folder is None:
            write_lines(_lines("".join(self._texts.values())), self._place)
            return
        self._folder.mkdir(exist_ok=True)
        for name, text in self._texts.items():
            write_lines(_lines(text), self._places[name])


def _watched(own: "Own", look: Callable[[Sequence["OwnFile"]], None]) -> "Own":
    """The same `own`, but `look` sees the files before they are read."""
    def looked_at(files: Sequence["OwnFile"]) -> Sequence["OwnFile"]:
        look(files)
        return files

    return with_files(own, looked_at)


def _format_of(answering: "Answering", row: str, form: str,
               by_task: Mapping[str, Sequence[str]]) -> "FileFormat":
    found: Mapping[str, FileFormat] = getattr(answering.own, "FORMATS", {})
    if form not in found:
        raise UserError(f"--format {form}: answers of {row}, whose task is "
                        f"{answering.system.task}, cannot be written so; "
                        f"{_known((*_FORMS, *found), by_task)}")
    return found[form]


def _known(forms: Sequence[str], by_task: Mapping[str, Sequence[str]]) -> str:
    further = "".join(f"; for systems of {task} {', '.join(names)}"
                      for task, names in by_task.items())
    return f"there are {', '.join(forms)}{further}"


def _check_names(files: Sequence["OwnFile"]) -> None:
    """Answers are told apart by their files' names; some disks know no case of letters."""
    seen: dict[str, str] = {}
    for file in files:
        stem = Path(file.name).stem.casefold()
        if stem in seen:
            raise UserError(f"{seen[stem]} and {file.name}: both answers would be called "
                            f"{Path(file.name).stem!r}; rename one of the files, or ask for each "
                            "by itself")
        seen[stem] = file.name


def _lines(text: str) -> Iterator[str]:
    """The lines of a text that ends in a newline; of none there are none."""
    yield from text.removesuffix("\n").split("\n") if text else ()
