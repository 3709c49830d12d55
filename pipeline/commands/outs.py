"""Where a command's answer goes: `--out`, and standard output.

A place is looked at before anything is computed for it, and written by the one writer when the
answer is whole. Standard output holds answers alone, in UTF-8 as files are, except on a terminal,
which gets what it can show. A place that takes no more is an error like any other.
"""

import contextlib
import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pipeline.commands.predicting import is_model_folder
from pipeline.commands.project import find_params
from pipeline.errors import UserError
from pipeline.storage.files import NamedFile, atomic_writer, check_place

STDOUT = Path("-")
_NAME, _DESCRIPTOR = "standard output", 1


def checked_out(out: Path | None, inputs: Sequence[str] = ()) -> Path | None:
    """The file that an answer goes to; None is standard output, which '-' names too.

    Raises UserError for a place that cannot be written, or where one of `inputs` (files, folders of
    them), a trained system or the suite's params.yaml would be lost.
    """
    if out is None or out == STDOUT:
        return None
    check_place(out)
    for name in inputs:
        if _is_read_from(out, Path(name)):
            raise UserError(f"--out {out} is a file to answer as well; name another one")
    params = find_params(Path.cwd())
    if params is not None and _is_read_from(out, params):
        raise UserError(f"--out {out} is the suite's params.yaml; name another file")
    if any(is_model_folder(folder) for folder in Path(os.path.realpath(out)).parents):
        raise UserError(f"--out {out} lies in the folder of a trained system, whose files say by "
                        "themselves that they are whole; name another place")
    return out


def checked_folder(out: Path) -> Path:
    """A folder for several files, to be made if need be. Raises UserError when that cannot be."""
    if out == STDOUT:
        raise UserError("--out -: several files cannot be told apart on standard output; name a "
                        "folder")
    if os.path.isdir(out):
        check_place(out / "file")
    elif os.path.lexists(out):
        raise UserError(f"--out {out} is no folder; name one for several files")
    else:
        check_place(out)
    return out


def write_lines(lines: Iterable[str], out: Path | None) -> None:
    """Write an answer to a file that `checked_out` has let pass, whole or not at all."""
    if out is None:
        print_lines(lines)
        return
    content = "".join(f"{line}\n" for line in lines)
    with atomic_writer(out, make_folder=False) as file:
        # The name of a file may hold bytes that are no text; it is shown as it is on a screen.
        file.write(content.encode("utf-8", "backslashreplace"))


def print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)


@contextlib.contextmanager
def plain_output() -> Iterator[None]:
    """Let the block write to a standard output as said above, if it is the process's own.

    Raises UserError when it is closed, or takes no more.
    """
    own = sys.stdout
    if own is None:
        raise UserError("standard output is closed; send it somewhere, to /dev/null if it is not "
                        "wanted")
    terminal = own.isatty()
    encoding = own.encoding if terminal else "utf-8"
    if own is not sys.__stdout__:
        yield
        return
    file = io.BufferedWriter(NamedFile(_DESCRIPTOR, _NAME, close=False))
    sys.stdout = io.TextIOWrapper(file, encoding, errors="backslashreplace",
                                  line_buffering=terminal)
    yield
    sys.stdout.flush()


def _is_read_from(out: Path, name: Path) -> bool:
    """Whether the file `out` is what `name` is, or lies in the folder that it is."""
    if not (os.path.exists(out) and os.path.exists(name)):
        return False
    if os.path.isdir(name):
        return Path(os.path.realpath(out)).parent == Path(os.path.realpath(name))
    return os.path.isfile(out) and os.path.samefile(out, name)
