"""One file over HTTP: resumed by range, retried with back-off, checked before it is named.

The bytes grow in `NAME.part`, which is always a prefix of what the server sent, whatever kills the
process; the file gets its name only after it passed its check. Servers that ignore ranges are
read from the start; a file that is whole but wrong is thrown away and fetched once more.
"""

import contextlib
import datetime
import email.utils
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import requests
import tenacity
from filelock import FileLock
from tqdm import tqdm

from pipeline.errors import UserError, without_secrets

BLOCK = 1 << 13  # a broken connection costs at most this much
RETRIED = {408, 425, 429, 500, 502, 503, 504}

Flaw = Callable[[Path], str | None]


class Unreachable(Exception):
    """The address did not give the file; the text says why."""


class _Interrupted(Exception):
    """This attempt failed, another one may not; `pause` is the server's own wish in seconds."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


@dataclass(frozen=True)
class Patience:
    """How long a download is tried: seconds, and attempts in a row that bring no new byte."""

    attempts: int = 6
    timeout: float = 30.0
    first_pause: float = 1.0
    longest_pause: float = 60.0


def download(url: str, store: Path, name: str, flaw: Flaw, patience: Patience) -> Path:
    """The file `store/name`, downloaded if it is not there or has a flaw.

    `flaw` says what is wrong with a file, or None. Raises Unreachable when the address fails, and
    UserError when it gives other bytes than it should twice.
    """
    store.mkdir(parents=True, exist_ok=True)
    target, part = store / name, store / f"{name}.part"
    with FileLock(store / ".lock"):
        if target.is_file() and flaw(target) is None:
            return target
        found = None
        for _ in range(2):
            _complete(url, part, patience)
            found = flaw(part)
            if found is None:
                os.replace(part, target)
                return target
            part.unlink()
    raise UserError(f"{name}: {url} gives other bytes than it should, twice: {found}. Either the "
                    "connection alters the file or its publisher changed it; a good copy can be "
                    f"placed at {target}")


def _complete(url: str, part: Path, patience: Patience) -> None:
    """Attempt until the server says that the part is whole."""
    best, failures = _length(part), 0

    def no_progress(state: tenacity.RetryCallState) -> bool:
        nonlocal best, failures
        failures = failures + 1 if _length(part) <= best else 1
        best = max(best, _length(part))
        return failures >= patience.attempts

    def pause(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        wish = error.pause if isinstance(error, _Interrupted) else None
        own = patience.first_pause * 2 ** (failures - 1)
        return min(own if wish is None else wish, patience.longest_pause)

    def announce(state: tenacity.RetryCallState) -> None:
        reason = state.outcome.exception() if state.outcome else None
        said = without_secrets(f"{url}: {reason}")
        print(f"{said}; trying again in {state.upcoming_sleep:g} s", file=sys.stderr)

    try:
        tenacity.Retrying(retry=tenacity.retry_if_exception_type(_Interrupted), stop=no_progress,
                          wait=pause, before_sleep=announce, reraise=True)(
            _attempt, url, part, patience.timeout)
    except _Interrupted as error:
        raise Unreachable(f"{error}; {patience.attempts} attempts") from None


def _attempt(url: str, part: Path, timeout: float) -> None:
    """One request for the bytes that are missing. Raises _Interrupted or Unreachable."""
    start = _length(part)
    # Without identity a server may compress, and ranges would count other bytes than ours.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    try:
        with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
            start = _accepted(response, part, start)
            with part.open("ab") as file:
                file.truncate(start)
                _append(response, file, start, part.name.removesuffix(".part"))
    except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema,
            requests.exceptions.InvalidSchema) as error:
        raise Unreachable(str(error)) from None
    except requests.RequestException as error:
        raise _Interrupted(f"{type(error).__name__}: {error}") from None
    except OSError as error:
        raise UserError(f"{part} cannot be written ({error.strerror}); make room or rights and run "
                        "again, the download goes on where it stopped") from None


def _accepted(response: requests.Response, part: Path, start: int) -> int:
    """The position that the response's body begins at; the bytes before it are kept."""
    status = response.status_code
    if status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        return start
    if status in (206, 416):
        # The server has another idea of the file than the part: it is of no use.
        total = response.headers.get("Content-Range", "").rpartition("/")[2]
        if status == 416 and total == str(start):
            return start
        part.unlink(missing_ok=True)
        raise _Interrupted("the server refused to go on; starting again")
    if status == 200:
        return 0
    if status in RETRIED:
        raise _Interrupted(f"HTTP {status} {response.reason}", _retry_after(response))
    raise Unreachable(f"HTTP {status} {response.reason}")


def _append(response: requests.Response, file: IO[bytes], start: int, name: str) -> None:
    if response.status_code == 416:
        return
    length = response.headers.get("Content-Length")
    total = start + int(length) if length and length.isdigit() else None
    with tqdm(total=total, initial=start, desc=name, unit="B", unit_scale=True, delay=2) as bar:
        for block in response.iter_content(BLOCK):
            file.write(block)
            bar.update(len(block))
    if total is not None and file.tell() < total:
        raise _Interrupted(f"the connection ended after {file.tell()} of {total} bytes")


def _retry_after(response: requests.Response) -> float | None:
    """Seconds that the server asks to wait, from a number or a date; None if it does not ask."""
    text = response.headers.get("Retry-After", "")
    if text.isdigit():
        return float(text)
    with contextlib.suppress(ValueError, TypeError):
        wanted = email.utils.parsedate_to_datetime(text)
        return max((wanted - datetime.datetime.now(datetime.UTC)).total_seconds(), 0.0)
    return None


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
