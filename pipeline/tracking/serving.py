"""A trained system as MLflow serves it: a row of a request is a file, its answer a list of records.

A champion answers by the path of `unrolled predict` (the task's `own` module and the system), so
what comes over HTTP is what the command prints. A request's row has what the file would hold: the
column `text` for tasks that read text, or else `content`, bytes that JSON holds as base64, and
`text` beside it where a task asks for the words said in a recording. `name` may say how the file is
called; its ending chooses among the formats of a task, and answers and errors repeat it. It is
never used as a path.

Whatever is wrong with a request is an answer with status 400 that says what to do, without a trace
of the program; this is the reason that errors are turned into MLflow's here.
"""

import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd  # type: ignore[import-untyped]
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.protos.databricks_pb2 import INTERNAL_ERROR, INVALID_PARAMETER_VALUE
from mlflow.pyfunc import PythonModel
from mlflow.types import ColSpec, DataType, Schema
from pydantic import ValidationError

from pipeline.errors import UserError
from pipeline.modules import task_module
from pipeline.storage.files import write_bytes

if TYPE_CHECKING:
    from pipeline.running.answering import Answering
    from pipeline.tasks.contract import Own, OwnFile, Record

MODEL = "model"  # the artifact that is the system's folder
VARIANT = "variant"  # what the model's configuration calls a variant's settings, by its name
MOST_FILES = 1000
_TEXTUAL = (".txt", ".py", ".csv", ".json", ".jsonl", ".conllu")


class Champion(PythonModel):
    """A folder of a trained system that answers files."""

    def load_context(self, context: Any) -> None:
        """Load the system, checked against its seal, and the variant that it answers by."""
        from pipeline.running.answering import load_folder

        try:
            answering = load_folder(Path(context.artifacts[MODEL]))
            self._answering = _by_variant(answering, (context.model_config or {}).get(VARIANT))
        except UserError as error:
            raise MlflowException(str(error)) from None
        # MLflow calls from several threads; a system answers one caller after another.
        self._turn = threading.Lock()

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        """The answers to all files of a request, in their order: a list of records."""
        try:
            with self._turn:
                return answers(self._answering, model_input.to_dict("records"))
        except UserError as error:
            raise MlflowException(str(error), INVALID_PARAMETER_VALUE) from None
        except Exception:
            traceback.print_exc()
            raise MlflowException("the system failed at this request, which is no fault of the "
                                  "request's form; the server's log says where",
                                  INTERNAL_ERROR) from None


def signature(task: str) -> ModelSignature:
    """The columns of a request to systems of a task."""
    own = task_module(task, "own")
    given = [("text", DataType.string)] if _is_textual(own) else [("content", DataType.binary)]
    if hasattr(own, "NEEDS_TEXT"):
        given.append(("text", DataType.string))
    return ModelSignature(inputs=Schema([
        *(ColSpec(kind, name) for name, kind in given),
        ColSpec(DataType.string, "name", required=False)]))


def answers(answering: "Answering", rows: Sequence[Mapping[str, Any]]) -> "list[Record]":
    """The records of the answers to a request's rows.

    Raises UserError naming the row and what is wrong with it.
    """
    if not rows:
        raise UserError(f"the request has no row; a row is {answering.own.TAKES}")
    if len(rows) > MOST_FILES:
        raise UserError(f"the request has {len(rows)} rows; send {MOST_FILES} at most at once")
    with tempfile.TemporaryDirectory(prefix="unrolled-") as folder:
        files = [_file(answering.own, row, number, Path(folder))
                 for number, row in enumerate(rows, start=1)]
        prepared = Path(folder) / "prepared"
        prepared.mkdir()
        items = answering.own.prepare(files, answering.trained, prepared)
        found = answering.system.predict(prepared, answering.variant)
        return [record for item, answer in zip(items, found, strict=True)
                for record in answering.own.present(item, answer, answering.trained)]


def _by_variant(answering: "Answering", variant: Any) -> "Answering":
    """By the settings that the row has been evaluated with, which may be younger than the folder.

    Raises UserError for some that the system does not know.
    """
    if not variant:
        return answering
    settings = answering.system.settings
    try:
        known = type(settings).model_validate(
            settings.model_dump(mode="json") | {"variants": variant})
    except ValidationError as errors:
        error = errors.errors(include_url=False, include_input=False)[0]
        raise UserError(f"the model's configuration, {'.'.join(map(str, error['loc']))}: "
                        f"{error['msg'][:1].lower()}{error['msg'][1:]}; publish the model again by "
                        "'unrolled publish' of the code that serves it") from None
    return replace(answering, variant=next(iter(known.variants.values())))


def _is_textual(own: "Own") -> bool:
    return own.SUFFIXES[0] in _TEXTUAL


def _suffixes(own: "Own") -> list[str]:
    """The endings of files that a row can hold: of text where it holds text."""
    return [suffix for suffix in own.SUFFIXES if not _is_textual(own) or suffix in _TEXTUAL]


def _file(own: "Own", row: Mapping[str, Any], number: int, folder: Path) -> "OwnFile":
    from pipeline.tasks.contract import OwnFile

    name = row.get("name")
    if not isinstance(name, str) or not name:  # pandas fills an absent one in as it likes
        name = f"row {number}{own.SUFFIXES[0]}"
    known = _suffixes(own)
    suffix = Path(name).suffix.lower()
    if suffix not in known:
        raise UserError(f"row {number}: name {name[:60]!r} does not end in {' or '.join(known)}; "
                        f"wanted is {own.TAKES}")
    path = folder / f"{number}{suffix}"
    if _is_textual(own):
        write_bytes(path, _text(row, number, own.TAKES).encode("utf-8", "surrogatepass"))
        return OwnFile(name, path)
    content = row.get("content")
    if not isinstance(content, bytes) or not content:
        raise UserError(f"row {number}: 'content' holds no bytes; give in base64 {own.TAKES}")
    write_bytes(path, content)
    needed = getattr(own, "NEEDS_TEXT", None)
    return OwnFile(name, path, _text(row, number, needed) if needed else None)


def _text(row: Mapping[str, Any], number: int, wanted: str) -> str:
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        raise UserError(f"row {number}: 'text' holds no text; give {wanted}")
    return text
