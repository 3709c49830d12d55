"""A process that has imported the libraries of the stages, and forks a child for each stage.

Importing PyTorch, Lightning and MLflow takes five seconds of a processor, longer than many a stage
computes, and a suite starts hundreds. A forked child stands at once where `python -m stages.train`
stands after its imports, and then runs that very module with the same arguments, folder,
environment and outputs. It is the fork server of Python's `multiprocessing`, but for several
clients, which are processes of DVC (`pipeline/workflow/repro_call.py`).

A child is as good as a new process because nothing has been computed before it and no thread runs:
threads do not survive a fork, and locks that they held stay locked. So the server counts its
threads, and refuses to fork when there is another one. The project's own modules are imported by
the children, which therefore run the code that is on disk when they begin. A stage that is not
forked (refused, another system than Linux, a server that has ended) is started in DVC's way.
"""

import atexit
import contextlib
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from pipeline import processes
from pipeline.environment import leaves_room
from pipeline.errors import UserError
from pipeline.guardian import GRACE_SECONDS, end_with_parent

_LONGEST_MESSAGE = 2**17
_ENDING_SECONDS = 10.0
_STARTED = b"started"


@dataclass(frozen=True)
class Command:
    """What `python -m module arguments` would run, where, and with which environment."""

    module: str
    arguments: list[str]
    folder: str
    environment: dict[str, str]


def _import_training() -> None:
    import lightning  # noqa: F401
    import mlflow.tracking  # noqa: F401

    _import_evaluation()


def _import_evaluation() -> None:
    import matplotlib.figure  # noqa: F401
    import safetensors.torch  # noqa: F401
    import scipy.sparse  # noqa: F401
    import threadpoolctl  # noqa: F401
    import torch  # noqa: F401


# A stage without an entry imports what it needs by itself; that takes a fraction of a second.
_IMPORTS: Mapping[str, Callable[[], None]] = {
    "stages.train": _import_training, "stages.evaluate": _import_evaluation}


@contextlib.contextmanager
def fork_server(root: Path, environment: Mapping[str, str]) -> Iterator[Path | None]:
    """A server for stages of the project in `root`; its address, or None where there is none.

    What it has forked ends with the block, unless the client is still waiting for it.
    """
    if not sys.platform.startswith("linux") or not leaves_room(tempfile.gettempdir()):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="unrolled-") as folder:
        address = Path(folder) / "socket"
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(str(address))
            listener.listen(128)
            # Its input ends with this process, however this process ends. It has nothing to say: a
            # library that cannot be imported fails again in the stage, which has a log.
            server = processes.start(
                [sys.executable, "-m", "pipeline.workflow.fork_server", str(listener.fileno())],
                cwd=root, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, pass_fds=[listener.fileno()],
                env={**environment, **_NO_THREADS})
        try:
            yield address
        finally:
            assert server.stdin is not None
            server.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(_ENDING_SECONDS)
            processes.end([server])


# Arrow, which MLflow imports, would start a thread that tidies its memory, and NumPy's OpenBLAS one
# for each further core. A child that wants more of these starts them itself.
_NO_THREADS = {"JE_ARROW_MALLOC_CONF": "background_thread:false", "OPENBLAS_NUM_THREADS": "1"}


def run_forked(address: Path, command: Command) -> int | None:
    """Run a command in a fork of the server, with this process's outputs; its exit code.

    A negative code is the signal that ended it, as in `subprocess`; None means that it was not
    started. The command ends when this process does, or leaves the function by an exception.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        try:
            connection.connect(str(address))
            socket.send_fds(connection, [json.dumps(asdict(command)).encode()], [1, 2])
            if connection.recv(_LONGEST_MESSAGE) != _STARTED:
                return None
        except OSError:
            return None
        code = connection.recv(_LONGEST_MESSAGE)
    if not code:
        raise UserError("the process that stages are forked from was killed; run again")
    return int(code)


class _Server:
    """Forks, and tells each client how its command ended."""

    def __init__(self, listener: socket.socket, owner: int) -> None:
        self._listener = listener
        self._owner = owner
        self._owned = True
        self._running: dict[int, socket.socket] = {}
        self._deadlines: dict[int, float] = {}
        self._ended, wake = socket.socketpair()
        wake.setblocking(False)
        self._ended.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        self._wake = wake

    def serve(self) -> Command | None:
        """Return in each child with its command, and in the server with None at its end."""
        while self._owned or self._running:
            connected = [c for c in self._running.values() if c.fileno() >= 0]
            waiting: list[Any] = [self._owner, self._listener] if self._owned else []
            ready, _, _ = select.select([self._ended, *waiting, *connected], [], [],
                                        self._kill_the_late())
            self._reap()
            if self._owner in ready:
                self._owned = False
                self._listener.close()
            elif self._listener in ready:
                command = self._accept()
                if command:
                    return command
            for connection in [c for c in connected if c in ready]:
                self._disconnect(connection)
        return None

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._ended.recv(_LONGEST_MESSAGE)
        for pid in list(self._running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                connection = self._running.pop(pid)
                self._deadlines.pop(pid, None)
                with contextlib.suppress(OSError), connection:
                    connection.send(str(os.waitstatus_to_exitcode(status)).encode())

    def _disconnect(self, connection: socket.socket) -> None:
        """End the command of a client that has gone: clients send nothing while they wait."""
        for pid, other in self._running.items():
            if other is connection:
                connection.close()
                os.killpg(pid, signal.SIGTERM)
                self._deadlines[pid] = time.monotonic() + GRACE_SECONDS

    def _kill_the_late(self) -> float | None:
        """Kill commands whose grace is over; seconds to the end of the next one's, if any."""
        now = time.monotonic()
        for pid in [pid for pid, deadline in self._deadlines.items() if deadline <= now]:
            os.killpg(pid, signal.SIGKILL)
            del self._deadlines[pid]
        return min((deadline - now for deadline in self._deadlines.values()), default=None)

    def _accept(self) -> Command | None:
        """Fork for the next client; the command in the child, None in the server."""
        connection, _ = self._listener.accept()
        message, outputs, _, _ = socket.recv_fds(connection, _LONGEST_MESSAGE, 2)
        if not message or len(outputs) != 2:
            connection.close()
            return None
        command = Command(**json.loads(message))
        _IMPORTS.get(command.module, lambda: None)()
        pid = 0
        if command.folder == os.getcwd() and _threads() == 1:
            # Objects that a collection touches are copied, so children leave these alone.
            gc.freeze()
            pid = os.fork()
            if pid == 0:
                self._leave(connection)
                _become(command, outputs)
                return command
            with contextlib.suppress(OSError):
                os.setpgid(pid, pid)
            self._running[pid] = connection
        with contextlib.suppress(OSError):
            connection.send(_STARTED if pid else b"refused")
        for output in outputs:
            os.close(output)
        return None

    def _leave(self, connection: socket.socket) -> None:
        """In a child: let go of everything that is the server's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for item in (connection, self._listener, self._ended, self._wake,
                     *self._running.values()):
            item.close()


def _become(command: Command, outputs: list[int]) -> None:
    """In a child: take on folder, environment and outputs of a command, and end with the server."""
    os.setpgid(0, 0)
    end_with_parent()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in enumerate([nothing, *outputs]):
        os.dup2(source, target)
        os.close(source)
    gc.enable()
    os.chdir(command.folder)
    os.environ.clear()
    os.environ.update(command.environment)


def _threads() -> int:
    return len(os.listdir("/proc/self/task"))


def _run_and_exit(command: Command) -> NoReturn:
    """Run a command as `python -m` does, and end without taking apart all that was imported.

    Freeing half a gigabyte of shared modules one by one takes longer than many a stage;
    `multiprocessing` ends its forked children in the same way.
    """
    sys.argv = [command.module, *command.arguments]
    code = 0
    try:
        runpy.run_module(command.module, run_name="__main__", alter_sys=True)
    except SystemExit as ending:
        code = _exit_code(ending)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # what the interpreter itself calls
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _exit_code(ending: SystemExit) -> int:
    if ending.code is None or isinstance(ending.code, int):
        return (ending.code or 0) & 0xFF
    print(ending.code, file=sys.stderr)
    return 1


def main() -> None:
    gc.disable()
    listener = socket.socket(fileno=int(sys.argv[1]))
    command = _Server(listener, sys.stdin.fileno()).serve()
    if command:
        _run_and_exit(command)


if __name__ == "__main__":
    main()
