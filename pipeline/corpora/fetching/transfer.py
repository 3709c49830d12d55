"""One HTTP request that lets a part grow: by what is promised and not by a byte more.

Bytes are kept as they are sent, because an archive is often announced as a compressed text and has
the checksum of the compressed one; `decode` undoes such an encoding. An address of HTTPS leads to
no other kind of address, wherever it redirects to.
"""

import contextlib
import datetime
import email.utils
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import requests
import urllib3
from tqdm import tqdm

from pipeline.errors import UserError
from pipeline.storage.files import growing

BLOCK = 1 << 13  # a broken connection costs at most this much
LARGEST = 2**30  # bytes of a file whose size nobody knows
RETRIED = {408, 425, 429, 500, 502, 503, 504}
_REDIRECTIONS = 10
_HOPELESS = (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema,
             requests.exceptions.InvalidSchema, requests.exceptions.TooManyRedirects)


class Unreachable(Exception):
    """The address did not give the file; the text says why."""


class Interrupted(Exception):
    """This attempt failed, another one may not; `pause` is the server's own wish in seconds."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


class Wrong(Exception):
    """The address gives another file than the one wanted; the text says what shows it."""


@dataclass(frozen=True)
class Patience:
    """How long a download is tried: seconds, and attempts in a row that bring nothing worth while.

    Worth while are `least` bytes in each `timeout` seconds.
    """

    attempts: int = 6
    timeout: float = 30.0
    first_pause: float = 1.0
    longest_pause: float = 60.0
    least: int = 1024


@dataclass(frozen=True)
class Transfer:
    """A part that grows from an address; `size` is the file's, where it is known."""

    url: str
    part: Path
    size: int | None
    patience: Patience
    decode: bool

    def attempt(self) -> None:
        """Ask for the bytes that are missing. Raises Interrupted, Unreachable, Wrong or OSError."""
        start = length(self.part)
        if self.size is not None and start >= self.size:
            if start == self.size:
                return
            self.part.unlink()
            start = 0
        # Without identity a server may compress, and ranges would count other bytes than ours.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        with requests.Session() as session, self._answer(session, headers) as response:
            self._receive(response, start)

    def _answer(self, session: requests.Session, headers: dict[str, str]) -> requests.Response:
        session.max_redirects = _REDIRECTIONS
        if self.url.lower().startswith("https:"):
            del session.adapters["http://"]
        try:
            return session.get(self.url, headers=headers, stream=True,
                               timeout=self.patience.timeout)
        except _HOPELESS as error:
            raise Unreachable(f"no address of the same kind follows: {error}") from None
        except requests.RequestException as error:
            raise Interrupted(f"{type(error).__name__}: {error}") from None
        except ValueError as error:
            # So requests reports a redirection to what is no address.
            raise Unreachable(f"no address follows: {error}") from None

    def _receive(self, response: requests.Response, start: int) -> None:
        encoding = response.headers.get("Content-Encoding", "identity").strip(" \t").lower()
        decoded = self.decode and encoding not in ("", "identity")
        if decoded and start and response.status_code == 206:
            self.part.unlink()
            raise Interrupted(f"the server goes on in the middle of {encoding}; starting again")
        start = self._accepted(response, start)
        if response.status_code == 416:
            return
        total = None if decoded else _total(response, start)
        if total is not None and self.size is not None and total != self.size:
            raise Wrong(f"expected {self.size} bytes, got {total} as the server tells")
        self._check_room((total or self.size or start) - start)
        with growing(self.part) as file:
            file.truncate(start)
            self._append(response, file, total, decoded)

    def _accepted(self, response: requests.Response, start: int) -> int:
        """The position that the response's body begins at; the bytes before it are kept."""
        status, span = response.status_code, response.headers.get("Content-Range", "")
        if status == 206 and start and span.startswith(f"bytes {start}-"):
            return start
        if status in (206, 416):
            # The server has another idea of the file than the part: it is of no use.
            if status == 416 and span.rpartition("/")[2] == str(start):
                return start
            self.part.unlink(missing_ok=True)
            raise Interrupted("the server refused to go on; starting again")
        if status == 200:
            return 0
        if status in RETRIED:
            raise Interrupted(f"HTTP {status} {response.reason}", _retry_after(response))
        raise Unreachable(f"HTTP {status} {response.reason}")

    def _append(self, response: requests.Response, file: IO[bytes], total: int | None,
                decoded: bool) -> None:
        most = self.size if self.size is not None else total if total is not None else LARGEST
        name = self.part.name.removesuffix(".part")
        with tqdm(total=total, initial=file.tell(), desc=name, unit="B", unit_scale=True,
                  delay=2) as bar:
            for block in self._blocks(response, decoded):
                room = most - file.tell()
                file.write(block[:room])
                bar.update(len(block))
                if len(block) > room:
                    raise Wrong(f"expected {most} bytes at most, got more" if self.size is None
                                else f"expected {most} bytes, got more")
        wanted = total if total is not None else self.size
        if wanted is not None and file.tell() < wanted:
            raise Interrupted(f"the connection ended after {file.tell()} of {wanted} bytes")

    def _blocks(self, response: requests.Response, decoded: bool) -> Iterator[bytes]:
        """The body as it comes in; too slow is as good as broken."""
        began, received = time.monotonic(), 0
        try:
            while block := response.raw.read1(BLOCK, decode_content=decoded):
                yield block
                received += len(block)
                if time.monotonic() - began > self.patience.timeout:
                    if received < self.patience.least:
                        raise Interrupted(f"only {received} bytes in {self.patience.timeout:g} s")
                    began, received = time.monotonic(), 0
        except urllib3.exceptions.HTTPError as error:
            raise Interrupted(f"{type(error).__name__}: {error}") from None

    def _check_room(self, needed: int) -> None:
        free = shutil.disk_usage(self.part.parent).free
        if needed > free:
            raise UserError(f"{self.part}: {needed} bytes are to come and {free} are free on this "
                            "disk; make room and run again, the download goes on where it stopped")


def length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _total(response: requests.Response, start: int) -> int | None:
    """Bytes of the whole file, as the answer's headers tell; None where they tell nothing."""
    body = _number(response.headers.get("Content-Length", ""))
    return None if body is None else start + body


def _retry_after(response: requests.Response) -> float | None:
    """Seconds that the server asks to wait, from a number or a date; None if it does not ask."""
    text = response.headers.get("Retry-After", "").strip(" \t")
    seconds = _number(text)
    if seconds is not None:
        return float(seconds)
    with contextlib.suppress(ValueError, TypeError, OverflowError, IndexError):
        wanted = email.utils.parsedate_to_datetime(text)
        return max((wanted - datetime.datetime.now(datetime.UTC)).total_seconds(), 0.0)
    return None


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None
