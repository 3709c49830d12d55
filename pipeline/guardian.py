"""A small process that stands between a command and whoever started it, and answers for its end.

    python guardian.py PID_OF_THE_PARENT COMMAND ARGUMENT ...

A process cannot end its family when it is killed, and a command of somebody else's (DVC, MLflow, a
shell) does not notice that its parent is gone. The guardian does both. When its parent has ended,
however that ended, it kills the command and all that descends from it. Asked to stop by a signal,
it passes SIGTERM on and kills what is left after `GRACE_SECONDS`. When the command ends, what it
left running is killed, and the guardian ends in the same way: with its exit code or its signal.

On Linux descendants are found even where they have sessions of their own, because orphans of a
family become children of their guardian; elsewhere they are those of the command's process group.
It is run without site-packages, so that it is there in a few hundredths of a second.
"""

import contextlib
import ctypes
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

GRACE_SECONDS = 2.0
# The environment of a guarded command names its guardian, so that it leaves words to its starter.
GUARDIAN = "UNROLLED_GUARDIAN"
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_POLL_SECONDS = 0.2
_NOT_STARTED = 127  # as in a shell
_LINUX = sys.platform.startswith("linux")
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def end_with_parent(number: int = signal.SIGKILL) -> None:
    """Let the system signal this process when its parent ends; Linux alone does."""
    if _LINUX:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)


def guard(parent: int, command: list[str]) -> int:
    """Run a command to its end, or to that of `parent`; its code, as `subprocess` has it."""
    asked: list[int] = []
    for number in STOPS:
        signal.signal(number, lambda number, _: asked.append(number))
    wakes = _woken_by_signals()
    if _LINUX:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
        end_with_parent(signal.SIGCHLD)  # it only wakes: a thread that ends counts as a parent
    os.environ[GUARDIAN] = str(os.getpid())
    # Descriptors that are meant for the command are inheritable here; this file opens no others.
    try:
        child = subprocess.Popen(command, close_fds=False, process_group=0,
                                 preexec_fn=end_with_parent)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return _NOT_STARTED
    deadline = float("inf")
    while child.poll() is None:
        if os.getppid() != parent or time.monotonic() > deadline:
            _kill_family(child.pid)
        elif asked and deadline == float("inf"):
            deadline = time.monotonic() + GRACE_SECONDS
            _signal_group(child.pid, signal.SIGTERM)
        select.select([wakes], [], [], _POLL_SECONDS)
        with contextlib.suppress(BlockingIOError):
            wakes.recv(4096)
    _kill_family(child.pid)
    return child.returncode


def _woken_by_signals() -> socket.socket:
    """A socket that can be read when a signal has come."""
    reads, writes = socket.socketpair()
    reads.setblocking(False)
    writes.setblocking(False)
    signal.set_wakeup_fd(writes.detach(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reads


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _kill_family(group: int) -> None:
    """Kill all that descends from the command, until nobody is left to start anybody new."""
    _signal_group(group, signal.SIGKILL)
    while found := [pid for pid in _descendants() if _kill(pid)]:
        for pid in found:
            # The command itself is waited for by `subprocess`.
            if pid != group:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)
        if found == [group]:
            return
        time.sleep(0.01)


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _descendants() -> list[int]:
    """Processes below this one, children first; none where the system does not tell."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found = list(children.get(os.getpid(), ()))
    for pid in found:
        found += children.get(pid, ())
    return found


def _parents() -> Iterator[tuple[int, int]]:
    """Each living process of the machine and its parent."""
    for folder in Path("/proc").glob("[0-9]*"):
        if parent := parent_of(int(folder.name)):
            yield int(folder.name), parent


def parent_of(pid: int) -> int:
    """The parent of a living process; 0 where there is none or the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return 0
    # The name, which stands in brackets, may hold anything.
    state, parent = text.rpartition(")")[2].split()[:2]
    return 0 if state in "ZX" else int(parent)


def main() -> None:
    code = guard(int(sys.argv[1]), sys.argv[2:])
    if code >= 0:
        sys.exit(code)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.set_wakeup_fd(-1)
    if -code not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
    sys.exit(128 - code)


if __name__ == "__main__":
    main()
