"""A real server on 127.0.0.1 whose answers are given byte by byte, however wrong they are."""

import contextlib
import socketserver
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.corpora.fetching.served import at_work

Answer = bytes | Callable[[], Iterable[bytes]]


@dataclass
class ScriptedServer:
    """Each request takes the next answer, and the last one for ever; `requests` are their heads."""

    answers: list[Answer]
    requests: list[bytes] = field(default_factory=list)
    url: str = ""

    def next(self) -> Iterable[bytes]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [answer] if isinstance(answer, bytes) else answer()


@contextmanager
def answering(*answers: Answer, tls: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    state = ScriptedServer(list(answers))

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            # A client that has enough goes away.
            with contextlib.suppress(OSError):
                connection = tls.wrap_socket(self.request, True) if tls else self.request
                head = b""
                while b"\r\n\r\n" not in head and (block := connection.recv(4096)):
                    head += block
                state.requests.append(head)
                for part in state.next():
                    connection.sendall(part)
                connection.close()

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with at_work(server) as port:
        state.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/corpus.txt"
        yield state


def answer(body: bytes, *headers: str, status: str = "200 OK", length: bool = True) -> bytes:
    """An HTTP answer, with its Content-Length unless that is unwanted."""
    lines = [f"HTTP/1.1 {status}", *headers, *([f"Content-Length: {len(body)}"] if length else []),
             "Connection: close"]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def redirect(location: str | None, status: str = "302 Found") -> bytes:
    return answer(b"", *([] if location is None else [f"Location: {location}"]), status=status)


def chunked(blocks: Callable[[], Iterable[bytes]]) -> Callable[[], Iterator[bytes]]:
    """Blocks as an answer of unknown length; without an end if they have none."""
    def parts() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        for block in blocks():
            yield b"%x\r\n%s\r\n" % (len(block), block)
        yield b"0\r\n\r\n"
    return parts
