"""`unrolled create`: a language model writes, a network of a music track composes.

What can be asked for is the system's own affair: its `Options` say so (`pipeline.tasks.contract`).
The same seed makes the same texts or pieces.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from pipeline.commands.outs import checked_folder, checked_out, write_lines
from pipeline.commands.predicting import answering_of
from pipeline.errors import UserError
from pipeline.running.answering import Answering

_FOLDER = Path("creations")


def create_lines(row: str, wishes: Mapping[str, Any], out: Path | None,
                 params: Callable[[], Path]) -> Iterator[str]:
    """Texts, or the paths of the files that were written.

    `row` is as for `predict_lines`; `wishes` has the options that a user gave. Raises UserError
    when the system makes nothing, is not trained, or knows no such option.
    """
    answering = answering_of(row, params)
    options = _options(answering, row, wishes)
    write = getattr(answering.own, "write_created", None)
    if write is not None:
        folder = checked_folder(out or _FOLDER)
        # All of them are there before the first is written.
        yield from map(str, write(list(answering.create(options)), folder))
        return
    file = checked_out(out)
    written = "\n\n".join(text.strip("\n") for text in answering.create(options))
    if file is None:
        yield written
    else:
        write_lines([written], file)
        yield str(file)


def _options(answering: Answering, row: str, wishes: Mapping[str, Any]) -> Any:
    kind = answering.options()
    known = [field.name for field in fields(kind)]
    for name in wishes:
        if name not in known:
            raise UserError(f"{_written(name)} means nothing to {row}; it takes "
                            f"{', '.join(map(_written, known))}")
    return kind(**wishes)


def _written(name: str) -> str:
    """An option as it is given."""
    return f"--{name.replace('_', '-')}"
