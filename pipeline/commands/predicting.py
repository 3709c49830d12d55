"""`unrolled predict`: which trained system is meant, and its answers as lines."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipeline.commands.texts import NO_TEXTS, Texts
from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.running.answering import Answering

Form = Literal["text", "csv", "json"]
_RECORD = "system.json"


def predict_lines(row: str, files: Sequence[str], form: Form, params: Callable[[], Path],
                  texts: Texts = NO_TEXTS) -> Iterator[str]:
    """Answers to `files`, line by line.

    `row` is a row of the suite in `params()`, which is asked only then, or the folder of a trained
    system, alone or with ':VARIANT'. `texts` are what is said about the files. Raises UserError
    naming the file and the remedy.
    """
    answering = answering_of(row, params, texts)
    from pipeline.running.answering import formatted

    records = answering.predict(files)
    return formatted(map(_flat, records) if form == "csv" else records, form, answering.own.SHOWN)


def answering_of(row: str, params: Callable[[], Path], texts: Texts = NO_TEXTS) -> "Answering":
    """The trained system that `row` names; see `predict_lines`."""
    folder = model_folder(row)
    from pipeline.running.answering import load_folder, load_row
    from pipeline.suite.schema import load

    answering = load_folder(*folder) if folder else load_row(load(params()), row)
    return replace(answering, own=texts.told(answering.own))


def is_model_folder(folder: Path) -> bool:
    """Whether a trained system lies there."""
    return os.path.isfile(folder / _RECORD)


def model_folder(row: str) -> tuple[Path, str | None] | None:
    """The folder and the variant that `row` names; None when it is a row of a suite.

    Raises UserError when it can only be a folder, and there is none.
    """
    name, separator, variant = row.rpartition(":")
    for text, chosen in ((row, None), (name, variant)) if separator else ((row, None),):
        if is_model_folder(Path(text)):
            return Path(text), chosen
    if "/" in row or Path(row).is_absolute():
        raise UserError(f"{row}: no folder of a trained system, which would hold {_RECORD}; name "
                        "such a folder, or a row that 'unrolled ls' lists")
    return None


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """A list or an object is JSON in its field of a CSV table."""
    return {name: json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict))
            else value for name, value in record.items()}
