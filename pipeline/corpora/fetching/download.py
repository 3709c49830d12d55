"""One file over HTTP: resumed by range, retried with back-off, checked before it is named.

The bytes grow in `NAME.part`, which is always a prefix of what the server sent, whatever kills the
process, and never longer than the file wanted; the file gets its name only after it passed its
check. Servers that ignore ranges are read from the start; a file that is whole but wrong is thrown
away and fetched once more, with what the server calls its encoding undone.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import tenacity
from filelock import FileLock

from pipeline.corpora.fetching.transfer import (
    Interrupted,
    Patience,
    Transfer,
    Unreachable,
    Wrong,
    length,
)
from pipeline.errors import UserError, without_secrets
from pipeline.storage.files import put_in_place

__all__ = ["Flaw", "Patience", "Unreachable", "download"]

Flaw = Callable[[Path], str | None]


def download(url: str, store: Path, name: str, flaw: Flaw, patience: Patience,
             size: int | None = None) -> Path:
    """The file `store/name`, downloaded if it is not there or has a flaw.

    `flaw` says what is wrong with a file, or None; `size` is its bytes, where they are known.
    Raises Unreachable when the address fails, and UserError when it gives other bytes than it
    should twice or the disk takes none.
    """
    try:
        store.mkdir(parents=True, exist_ok=True)
        with FileLock(store / ".lock"):
            return _downloaded(url, store, name, flaw, patience, size)
    except OSError as error:
        raise UserError(f"{store / name} cannot be written ({error.strerror or error}); make room "
                        "or rights and run again, the download goes on where it stopped") from None


def _downloaded(url: str, store: Path, name: str, flaw: Flaw, patience: Patience,
                size: int | None) -> Path:
    target, part = store / name, store / f"{name}.part"
    if target.is_file() and flaw(target) is None:
        return target
    for decode in (False, True):
        try:
            _complete(Transfer(url, part, size, patience, decode))
            found = flaw(part)
        except Wrong as error:
            found = str(error)
        if found is None:
            put_in_place(part, target)
            return target
        what = "a web page, as of a login or an error, " if _is_page(part) else ""
        part.unlink(missing_ok=True)
    raise UserError(f"{name}: {url} gives {what}other bytes than it should, twice: {found}. Either "
                    "the connection alters the file or its publisher changed it; a good copy can "
                    f"be placed at {target}")


def _complete(transfer: Transfer) -> None:
    """Attempt until the server says that the part is whole."""
    patience, part = transfer.patience, transfer.part
    best, failures = length(part), 0

    def no_progress(state: tenacity.RetryCallState) -> bool:
        nonlocal best, failures
        failures = failures + 1 if length(part) < best + patience.least else 1
        best = max(best, length(part))
        return failures >= patience.attempts

    def pause(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        wish = error.pause if isinstance(error, Interrupted) else None
        own = patience.first_pause * 2 ** (failures - 1)
        return min(own if wish is None else wish, patience.longest_pause)

    def announce(state: tenacity.RetryCallState) -> None:
        reason = state.outcome.exception() if state.outcome else None
        said = without_secrets(f"{transfer.url}: {reason}")
        print(f"{said}; trying again in {state.upcoming_sleep:g} s", file=sys.stderr)

    try:
        tenacity.Retrying(retry=tenacity.retry_if_exception_type(Interrupted), stop=no_progress,
                          wait=pause, before_sleep=announce, reraise=True)(transfer.attempt)
    except Interrupted as error:
        raise Unreachable(f"{error}; {patience.attempts} attempts") from None


def _is_page(part: Path) -> bool:
    if not part.is_file():
        return False
    with part.open("rb") as file:
        beginning = file.read(512).lstrip(b" \t\r\n").lower()
    return beginning.startswith((b"<!doctype html", b"<html"))
