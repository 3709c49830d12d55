"""Worker processes of Python: they end with the block that uses them, and with their creator.

A pool of `concurrent.futures` waits for its workers when an exception leaves it, for as long as
they compute, and when the creator is killed they wait for ever.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.connection import wait
from typing import Any, Literal


@contextlib.contextmanager
def _no_stop_is_seen() -> Iterator[None]:
    """Hold back what a terminal sends, here for a moment, in what is started meanwhile for ever.

    A stop is the creator's affair; workers, and what serves them, end with it.
    """
    earlier = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, earlier)


class _Workers(ProcessPoolExecutor):
    """A pool that starts its processes so; it does when there is work for them."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        with _no_stop_is_seen():
            return super().submit(fn, *args, **kwargs)


@contextlib.contextmanager
def workers(count: int, method: Literal["spawn", "forkserver"]) -> Iterator[ProcessPoolExecutor]:
    """Worker processes that end with the block, at once when it is left by an exception.

    They end as well when this process is killed.
    """
    before = set(multiprocessing.active_children())
    with _no_stop_is_seen():
        pool = _Workers(count, multiprocessing.get_context(method), _end_with_creator)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in set(multiprocessing.active_children()) - before:
            worker.kill()
        raise
    finally:
        pool.shutdown()


def _end_with_creator() -> None:
    """In a worker: watch for the end of the process that asked for it."""
    creator = multiprocessing.parent_process()
    assert creator is not None

    def watch() -> None:
        wait([creator.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
