"""Stops that unwind: SIGTERM and a closed terminal end a program as an error does, from within.

So whatever it has begun is taken back or ended on the way out (`pipeline.ending` says what its last
line and its exit code are).
"""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any


class Stopped(SystemExit):
    """A signal asks this process to end; `code` is what shells make of it.

    `remark` is what whoever is stopped says to the one who stopped it.
    """

    def __init__(self, number: int, remark: str = "") -> None:
        super().__init__(128 + number)
        self.number = number
        self.remark = remark


@contextlib.contextmanager
def stops_unwind(*others: signal.Signals, remark: str = "") -> "Iterator[Callable[[], None]]":
    """Let SIGTERM, SIGHUP and `others` raise `Stopped` in the block, with `remark`.

    Only the first does: what unwinds is not disturbed. It is raised wherever the program happens to
    be, and code of a library may be there that swallows it: whoever works in steps calls what the
    block is given in each, which raises it again. Signals that somebody else handles or ignores,
    and threads, are left alone.
    """
    asked: list[int] = []

    def check() -> None:
        if asked:
            raise Stopped(asked[0], remark)

    def stop(number: int, _: object) -> None:
        first = not asked
        asked.append(number)
        if first:
            check()

    replaced: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        replaced = {number: handler for number in (signal.SIGTERM, signal.SIGHUP, *others)
                    if _is_free(handler := signal.getsignal(number))}
    stop.unwinds = True  # type: ignore[attr-defined]
    for number in replaced:
        signal.signal(number, stop)
    try:
        yield check
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)


def _is_free(handler: Any) -> bool:
    """Whether a signal does what the system or this module has it do."""
    return handler in (signal.SIG_DFL, signal.default_int_handler) or hasattr(handler, "unwinds")
