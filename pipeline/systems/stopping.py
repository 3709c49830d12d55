"""A training that is told to stop ends at once, and says so by its exit code.

Lightning takes SIGTERM as a wish to end: the training returns as if it were over, and the stage
would save what there is and exit with 0. Here SIGTERM, SIGINT and SIGHUP end a training as they end
any program, with 128 plus the signal's number. Nothing has to be saved then: checkpoints are whole
at every instant (`pipeline.systems.resume`).
"""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_DEFAULTS = (signal.SIG_DFL, signal.default_int_handler)


class Stopped(SystemExit):
    """Ends the process: its code is 128 plus the signal's number, its reason a line for people."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.signal = signal.Signals(number)


class Stop:
    """Whether this process was told to stop; `check` ends it then.

    The handler raises wherever the program happens to be. Code of a library may be there that
    swallows it, so whoever works in steps calls `check` in each.
    """

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.number == 0:
            self.number = number
            self.check()

    def check(self) -> None:
        if self.number:
            raise Stopped(self.number)


@contextlib.contextmanager
def stoppable() -> Iterator[Stop]:
    """A block in which signals to stop do; a signal that is ignored or handled already stays so."""
    stop = Stop()
    replaced: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        replaced = {name: handler for name in _SIGNALS
                    if (handler := signal.getsignal(name)) in _DEFAULTS}
    for name in replaced:
        signal.signal(name, stop)
    try:
        yield stop
    except Stopped as stopped:
        print(f"stopped by {stopped.signal.name}; the same command goes on from the last "
              "checkpoint", file=sys.stderr, flush=True)
        raise
    finally:
        for name, handler in replaced.items():
            signal.signal(name, handler)
