"""A trained system answers files of one's own: `unrolled predict` and `unrolled create`.

The folder of a model is all that is needed: it names its task and model, and holds what reading raw
input takes. What a task makes of a file is its `own` module's decision (`pipeline.tasks.contract`).
"""

import csv
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from pipeline.entries import VariantSettings
from pipeline.errors import UserError
from pipeline.modules import task_module
from pipeline.running.trained import key_of, trained_folder
from pipeline.storage.artefacts import ARTEFACTS
from pipeline.storage.files import write_bytes
from pipeline.storage.folders import files_in
from pipeline.suite.messages import nearest
from pipeline.suite.schema import Suite
from pipeline.systems.base import System, system_class
from pipeline.systems.model_folder import read_record
from pipeline.tasks.contract import Creates, Own, OwnFile, Record, Trained

Format = Literal["text", "csv", "json"]
STDIN = "-"


@dataclass(frozen=True)
class Answering:
    """A trained system, one of the ways in which it answers, and what its task makes of files."""

    system: System
    variant: VariantSettings | None
    trained: Trained
    own: Own

    def predict(self, names: Sequence[str]) -> Iterator[Record]:
        """Answers, row by row, to the files, folders or standard input ('-') named.

        Raises UserError naming the file, the place and the remedy when one cannot be answered.
        """
        with tempfile.TemporaryDirectory(prefix="unrolled-") as folder:
            files = _own_files(names, self.own, Path(folder))
            prepared = Path(folder) / "prepared"
            prepared.mkdir()
            items = self.own.prepare(files, self.trained, prepared)
            answers = self.system.predict(prepared, self.variant)
            for item, answer in zip(items, answers, strict=True):
                yield from self.own.present(item, answer, self.trained)

    def options(self) -> type[Any]:
        """What can be asked of `create`. Raises UserError for a system that makes nothing."""
        return self._creates().Options

    def create(self, options: Any) -> Iterator[Any]:
        """What the system makes. Raises UserError for one that makes nothing."""
        return self._creates().create(options, self.trained)

    def _creates(self) -> Creates:
        if not hasattr(self.system, "create"):
            raise UserError(f"{self.system.settings.model} makes nothing of its own; a language "
                            "model that is a network writes text, a network of music composes")
        return cast(Creates, self.system)


def load_row(suite: Suite, row: str) -> Answering:
    """The trained system and the variant behind a leaderboard row, or a system's first row.

    Raises UserError when the suite has no such row or its system has not been trained.
    """
    key, variant = key_of(suite, row)
    return load_folder(trained_folder(suite, key), suite.system(key).variants.get(variant))


def load_folder(model: Path, variant: VariantSettings | str | None = None) -> Answering:
    """The system in a model folder, which needs nothing else.

    `variant` is a way to answer, the name of one that was saved with the system, or None for the
    first of those.
    """
    record = read_record(model)
    task = record["task"]
    kind = system_class(task, record["settings"]["model"])
    system = kind.load(model)
    saved: Mapping[str, VariantSettings] = system.settings.variants
    if isinstance(variant, str):
        if variant not in saved:
            raise UserError(f"{model} has no variant {variant!r}{nearest(variant, list(saved))}")
        variant = saved[variant]
    return Answering(system, variant or next(iter(saved.values()), None),
                     Trained(record["spec"], model / ARTEFACTS), task_module(task, "own"))


def formatted(records: Iterator[Record], form: Format, shown: Sequence[str]) -> Iterator[str]:
    """Lines of text: the columns `shown` (or all), a CSV table, or a JSON object a record."""
    header: list[str] = []
    for record in records:
        if form == "json":
            yield json.dumps(record, ensure_ascii=False)
            continue
        if form == "text":
            yield "\t".join(_shown(record[name]) for name in shown or record
                            if name in record)
            continue
        if not header:
            header = list(record)
            yield _csv_line(header)
        yield _csv_line([record.get(name, "") for name in header])


def _shown(value: Any) -> str:
    return "" if value is None else str(value)


def _csv_line(values: Sequence[Any]) -> str:
    buffer = io.StringIO()
    # A field is quoted if it holds a character of the line's end.
    csv.writer(buffer, lineterminator="\r\n").writerow(values)
    return buffer.getvalue().removesuffix("\r\n")


def _own_files(names: Sequence[str], own: Own, folder: Path) -> list[OwnFile]:
    """The files that are meant: those of a folder with the task's suffixes, in their names' order.
    """
    found: list[OwnFile] = []
    for name in names:
        path = Path(name)
        if name == STDIN and sys.stdin is None:
            raise UserError("-: standard input is closed; name a file, or send one in")
        if name == STDIN:
            spooled = folder / f"stdin{own.SUFFIXES[0]}"
            write_bytes(spooled, sys.stdin.buffer.read())
            found.append(OwnFile("standard input", spooled))
        elif os.path.isdir(name):
            inside = [OwnFile(str(file), file) for file in files_in(path)
                      if file.is_file() and file.suffix.lower() in own.SUFFIXES]
            if not inside:
                raise UserError(f"{name}: this folder has no file that ends in "
                                f"{' or '.join(own.SUFFIXES)}; wanted is {own.TAKES}")
            found += inside
        elif os.path.isfile(name):
            found.append(OwnFile(name, path))
        elif os.path.exists(name):
            raise UserError(f"{name} is no plain file; give - and send it in, as in "
                            f"'unrolled predict ROW - < {name}'")
        else:
            raise UserError(f"{name or repr(name)} does not exist; wanted is {own.TAKES}")
    return found
