"""The one place where commands are started: each ends with the process that started it.

A command runs below a guardian (`pipeline/guardian.py`), which ends it and all that it has started
when it is told to, when the command ends, or when the starting process is gone, however it went. A
stage that DVC starts by itself, called by hand, asks the system to end it with DVC.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.guardian import GRACE_SECONDS, GUARDIAN, end_with_parent

_GUARDIAN_FILE = Path(__file__).with_name("guardian.py")
# So much longer than the grace that it gives does a guardian itself take, on a busy machine.
_MARGIN_SECONDS = 8.0


def start(command: Sequence[str], *, env: Mapping[str, str] | None = None,
          **options: Any) -> "subprocess.Popen[Any]":
    """Start a command in a session of its own, to end with this process at the latest.

    Options are those of `subprocess.Popen`. What has started is to be ended by `end`.
    """
    # -I and -S: neither the environment nor site-packages concern the guardian.
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_GUARDIAN_FILE), str(os.getpid()), *command],
        start_new_session=True, env=None if env is None else dict(env), **options)


def end(processes: Iterable["subprocess.Popen[Any]"]) -> None:
    """Let what `start` has started end side by side: SIGTERM, and SIGKILL after the grace."""
    running = [process for process in processes if process.poll() is None]
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(GRACE_SECONDS + _MARGIN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def started(command: Sequence[str], **options: Any) -> "Iterator[subprocess.Popen[Any]]":
    """A command at work; it ends with the block."""
    process = start(command, **options)
    try:
        yield process
    finally:
        end([process])


def run(command: Sequence[str], **options: Any) -> "subprocess.CompletedProcess[Any]":
    """Run a command to its end; it does not outlive this call. Options are those of `start`."""
    with started(command, **options) as process:
        out, err = process.communicate()
    return subprocess.CompletedProcess(list(command), process.returncode, out, err)


def is_guarded() -> bool:
    """Whether another process of this project has started this one and speaks for it."""
    return os.environ.get(GUARDIAN) == str(os.getppid())


def end_with_dvc() -> None:
    """Let a stage that DVC runs end with DVC, which may be killed; a no-op outside DVC."""
    if "DVC_STAGE" in os.environ:
        end_with_parent()
