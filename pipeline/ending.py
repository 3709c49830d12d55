"""How a command ends: errors that a user can mend, stops, and outputs that nobody reads any more.

An error that a user can mend names the file, the place in it and the remedy, and ends a command
with exit code 2 and no traceback; so does a file that the system refuses (a full disk, a read-only
folder). A stop by Ctrl-C, SIGTERM or a closed terminal unwinds, so that everything that was started
ends too, and has the exit code that shells know. A Python without the project's packages is told as
what it is. Anything else is a defect of this project and keeps its traceback, to which is added
where packages are others than the project asks for.
"""

import contextlib
import errno
import io
import os
import select
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import NoReturn, TextIO

from pipeline.environment import lack, shorten_temporary_folder, unlike
from pipeline.errors import UserError
from pipeline.processes import is_guarded
from pipeline.stops import Stopped, stops_unwind

_STOPS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated",
          signal.SIGHUP: "the terminal was closed"}
# What no code of this project can mend. A file that is absent is not among it: where that may be,
# the code says what makes the file.
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.EISDIR,
            errno.ENOTDIR, errno.ELOOP}
# Writing tells these, and not where.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
# No place is to blame for these.
_SCARCE = {errno.EMFILE: "this process may open no more files; raise the limit of 'ulimit -n'",
           errno.ENFILE: "the system opens no more files; end other programs",
           errno.ENOMEM: "there is no memory left; end other programs, or give fewer --jobs"}
_DATABASE_REFUSED = ("disk I/O error", "database or disk is full", "database is locked",
                     "attempt to write a readonly database", "unable to open database file")
_NO_TEMPORARY = "No usable temporary directory"
_AGAIN_SECONDS = 0.01
_REMEDIES = {errno.ENOSPC: "make room", errno.EDQUOT: "make room",
             errno.EFBIG: "raise the limit of 'ulimit -f'"}


def run_command(main: Callable[[], None]) -> None:
    """Run a command-line entry point, and end with a plain line where no defect is the reason.

    Exit codes: 2 for a `UserError` and for a file that the system refuses, 130, 143 and 129 for
    SIGINT, SIGTERM and SIGHUP, 141 where the reader of the output has gone.
    """
    _print_every_letter()
    shorten_temporary_folder()
    sys.unraisablehook = _stop_again
    try:
        with stops_unwind():
            try:
                main()
            finally:
                if sys.stdout is not None:
                    sys.stdout.flush()
    except UserError as error:
        _end(2, f"error: {error}")
    except KeyboardInterrupt:
        _end_stopped(Stopped(signal.SIGINT))
    except Stopped as stop:
        _end_stopped(stop)
    except OSError as error:
        if _reader_has_gone(error):
            _end(128 + signal.SIGPIPE, "")
        _end_or_raise(error, refusal(error) or lack(error))
    except Exception as error:
        _end_or_raise(error, _failed_git(error) or _database_refusal(error) or lack(error))
    finally:
        # Nothing is left to unwind, and Python would show where it was.
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


def _end_or_raise(error: Exception, message: str) -> NoReturn:
    """End with what is said of an error, or with its traceback where there is nothing to say."""
    if message:
        _end(2, f"error: {message}")
    note = unlike()
    if note:
        error.add_note(note)
    raise error


def _stop_again(ignored: "sys.UnraisableHookArgs") -> None:
    """Ctrl-C again for one that came while an object was removed, where Python ignores it."""
    if issubclass(ignored.exc_type, KeyboardInterrupt):
        # By a thread, since this very function is among what Python would ignore; and as a signal,
        # which also wakes a thread that waits for the system.
        main = threading.main_thread().ident
        assert main is not None
        again = threading.Timer(_AGAIN_SECONDS, signal.pthread_kill, (main, signal.SIGINT))
        again.daemon = True
        again.start()
    else:
        sys.__unraisablehook__(ignored)


def refusal(error: OSError) -> str | None:
    """What the system refused, where, and what can be done; None for a defect of the code."""
    if error.errno in _SCARCE:
        return f"{_SCARCE[error.errno]} and run again"
    if isinstance(error, FileNotFoundError) and _was_starting(error):
        return f"there is no program {error.filename!r} on the command path; install it, or add " \
               "its folder to PATH, and run again"
    if (error.strerror or "").startswith(_NO_TEMPORARY):
        return f"{error.strerror}; make room or set TMPDIR to a folder that can be written, and " \
               "run again"
    if isinstance(error.filename, str | bytes) and error.errno in _REFUSED | _FULL:
        place = os.fsdecode(error.filename)
    elif error.errno in _FULL:
        place = "what was being written"
    else:
        return None
    remedy = _REMEDIES.get(error.errno or 0, "name another place or change this one")
    return f"{place}: {(error.strerror or str(error)).lower()}; {remedy} and run again"


def _was_starting(error: BaseException) -> bool:
    """Whether the error came up where Python starts a program."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") == "subprocess"


def _failed_git(error: Exception) -> str:
    """What git has said where it could not answer; its words tell what to do."""
    if not isinstance(error, subprocess.CalledProcessError) or error.cmd[0] != "git":
        return ""
    said = error.stderr or b""
    text = said if isinstance(said, str) else said.decode("utf-8", "replace")
    return f"'{shlex.join(error.cmd)}' failed in {os.getcwd()}: {text.strip() or 'see above'}"


def _database_refusal(error: Exception) -> str:
    """What is said of a database that cannot be written: DVC and MLflow keep such files.

    Which one it was, SQLite does not say.
    """
    kind = type(error)
    if (kind.__module__, kind.__name__) != ("sqlite3", "OperationalError"):
        return ""
    if not str(error).startswith(_DATABASE_REFUSED):
        return ""
    return (f"a database cannot be used ({error}); make room, see that .dvc/tmp, /var/tmp/dvc and "
            "mlflow.db can be written, and that no other command has them, and run again")


def _print_every_letter() -> None:
    """Show letters that a terminal does not know as their numbers, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _reader_has_gone(error: OSError) -> bool:
    """Whether the reason is that nobody reads standard output (head, a closed terminal)."""
    if error.errno not in (errno.EPIPE, errno.EIO) or error.filename is not None:
        return False
    with contextlib.suppress(OSError, ValueError):
        watched = select.poll()
        watched.register(sys.stdout.fileno(), 0)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in watched.poll(0))
    return False


def _end_stopped(stop: Stopped) -> NoReturn:
    line = "; ".join(filter(None, (f"stopped: {_STOPS[signal.Signals(stop.number)]}", stop.remark)))
    _end(128 + stop.number, "" if is_guarded() else line)


def _end(code: int, line: str) -> NoReturn:
    """Exit with a line on standard error, and with outputs that Python can close in peace."""
    with contextlib.suppress(OSError):
        if line:
            print(line, file=sys.stderr)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        if not _flushes(stream):
            # Python must not find out again at its end that an output takes nothing more.
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)


def _flushes(stream: TextIO) -> bool:
    try:
        stream.flush()
    except (OSError, UserError):
        return False
    return True
