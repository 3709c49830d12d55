"""A real HTTP server on 127.0.0.1 that misbehaves as told, one fault a request."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.corpora.fetching.served import at_work


@dataclass
class FaultyServer:
    """Serves `content` at every path. Each request takes the next fault of the script.

    Without a fault it answers rightly, ranges included. Faults: `truncate` (half of the announced
    bytes), `truncate silently` (no length announced), `corrupt` (one byte altered), `stall` (half,
    then silence), `503`, `404`, `ignore range` (200 and the whole file), `refuse range` (416),
    `wrong range` (206 from another position), `drop` (closes without an answer).
    """

    content: bytes
    script: list[str] = field(default_factory=list)
    retry_after: str | None = None
    ranges: list[str | None] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def next_fault(self) -> str:
        return self.script.pop(0) if self.script else ""


@contextmanager
def serving(content: bytes, *script: str, retry_after: str | None = None
            ) -> Iterator[FaultyServer]:
    state = FaultyServer(content, list(script), retry_after)

    class Handler(_Handler):
        server_state = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with at_work(server) as port:
        state.url = f"http://127.0.0.1:{port}/corpus.txt"
        try:
            yield state
        finally:
            state.released.set()


class _Handler(BaseHTTPRequestHandler):
    server_state: FaultyServer

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        state = self.server_state
        asked = self.headers.get("Range")
        state.ranges.append(asked)
        state.times.append(time.monotonic())
        fault = state.next_fault()
        if fault == "drop":
            return
        if fault in ("503", "404"):
            self._head(int(fault), 0, {"Retry-After": state.retry_after})
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if asked and (fault == "refuse range" or start >= len(state.content)):
            self._head(416, 0, {"Content-Range": f"bytes */{len(state.content)}"})
            return
        if fault == "ignore range":
            start, asked = 0, None
        if fault == "wrong range":
            start += 1
        self._body(fault, state.content[start:], start, partial=asked is not None)

    def _body(self, fault: str, body: bytes, start: int, partial: bool) -> None:
        state = self.server_state
        length = None if fault == "truncate silently" else len(body)
        total = len(state.content)
        self._head(206 if partial else 200, length,
                   {"Content-Range": f"bytes {start}-{total - 1}/{total}" if partial else None})
        if fault == "corrupt":
            body = bytes([body[0] ^ 1]) + body[1:]
        if fault.startswith("truncate") or fault == "stall":
            body = body[: len(body) // 2]
        self.wfile.write(body)
        self.wfile.flush()
        if fault == "stall":
            state.released.wait(60)

    def _head(self, status: int, length: int | None, headers: dict[str, str | None]) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
