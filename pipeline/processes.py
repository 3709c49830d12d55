"""The one place where commands are started: each ends with the process that started it.

A command runs below a guardian (`pipeline/guardian.py`), which ends it and all that it has started
when it is told to, when the command ends, or when the starting process is gone, however it went. A
stage that DVC starts by itself, called by hand, asks the system to end it with DVC.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.guardian import GRACE_SECONDS, GUARDIAN, end_with_parent, parent_of

_GUARDIAN_FILE = Path(__file__).with_name("guardian.py")
# So much longer than the grace that it gives does a guardian itself take, on a busy machine.
_MARGIN_SECONDS = 8.0
_POLL_SECONDS = 0.5


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


def wait(process: "subprocess.Popen[Any]") -> int:
    """Wait for a command's end; its exit code.

    The system may hand a stop to any thread of this process, and the main one, which has to act on
    it, would not hear of it while it waits without a limit.
    """
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(_POLL_SECONDS)


def run(command: Sequence[str], *, input: str | None = None,
        **options: Any) -> "subprocess.CompletedProcess[Any]":
    """Run a command to its end; it does not outlive this call. Options are those of `start`."""
    if input is not None:
        options["stdin"] = subprocess.PIPE
    with started(command, **options) as process:
        out, err = _outputs(process, input)
    return subprocess.CompletedProcess(list(command), process.returncode, out, err)


def _outputs(process: "subprocess.Popen[Any]", given: str | None) -> tuple[Any, Any]:
    """What a command writes until its end, which is waited for as in `wait`."""
    while True:
        try:
            return process.communicate(given, _POLL_SECONDS)
        except subprocess.TimeoutExpired:
            given = None  # it has been taken over, and cannot be given twice


def is_guarded() -> bool:
    """Whether another process of this project has started this one and speaks for it."""
    return os.environ.get(GUARDIAN) == str(os.getppid())


def end_with_dvc() -> None:
    """Let a stage that DVC runs end with DVC, which may be killed; Linux alone does.

    A shell may stand between the two, and goes on waiting when DVC is gone.
    """
    if "DVC_STAGE" not in os.environ:
        return
    end_with_parent()
    below, above = os.getpid(), os.getppid()
    while _is_shell_of_dvc(above):
        below, above = above, parent_of(above)
    if below != os.getpid():
        threading.Thread(target=_end_without, args=(below, above), daemon=True).start()


def _is_shell_of_dvc(pid: int) -> bool:
    """Whether DVC has named its stage to this process, as to those that it starts alone."""
    with contextlib.suppress(OSError):
        return b"\0DVC_STAGE=" in b"\0" + Path(f"/proc/{pid}/environ").read_bytes()
    return False


def _end_without(below: int, above: int) -> None:
    while parent_of(below) == above:
        time.sleep(_POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
