"""How commands end: stops, outputs without a reader, files that the system refuses, odd letters."""

import ast
import contextlib
import errno
import os
import pty
import resource
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.commands.main import app
from tests.conftest import ROOT

VERBS = sorted(name for name in app if not name.startswith("-"))
PROGRAM = """
import os, signal, sys, time
from pipeline.ending import run_command
from pipeline.errors import UserError
def main():
    try:
        {}
    finally:
        print("unwound", flush=True)
run_command(main)
"""


def ended(work: str, *, before: str = "", **options: object) -> subprocess.CompletedProcess[str]:
    """A command that does a line of work, from a shell with a line of its own before."""
    return _shell(before, [sys.executable, "-c", PROGRAM.format(work)], **options)


def _shell(before: str, command: Sequence[str], after: str = "",
           **options: object) -> subprocess.CompletedProcess[str]:
    line = f"set -o pipefail; {before} {shlex.join(command)} {after}"
    return subprocess.run(["bash", "-c", line], text=True, capture_output=True,
                          **{"env": os.environ | {"PYTHONPATH": str(ROOT)}, "cwd": ROOT, **options})


@pytest.mark.parametrize("number, code, reason", [
    (signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated"),
    (signal.SIGHUP, 129, "the terminal was closed")])
def test_a_stop_unwinds_and_is_one_plain_line(number: signal.Signals, code: int,
                                              reason: str) -> None:
    found = ended(f"os.kill(os.getpid(), {number.value}); time.sleep(600)")
    assert (found.returncode, found.stdout, found.stderr) == (
        code, "unwound\n", f"stopped: {reason}\n")


def test_a_second_stop_does_not_disturb_what_unwinds() -> None:
    found = ended("""
        try:
            os.kill(os.getpid(), signal.SIGTERM); time.sleep(600)
        finally:
            os.kill(os.getpid(), signal.SIGTERM); os.kill(os.getpid(), signal.SIGHUP)
            print("in peace")""")
    assert (found.returncode, found.stdout) == (143, "in peace\nunwound\n")


# Whoever hears of a stop only when this has ended hears of it too late.
LATE = ["sh", "-c", "sleep 20 >/dev/null 2>&1; touch late"]


@pytest.mark.parametrize("waits", [
    "processes.wait(command)", f"processes.run({LATE})",
    f"processes.run({LATE}, input='', stdout=-1)"])
def test_a_stop_that_another_thread_is_given_is_a_stop(waits: str, tmp_path: Path) -> None:
    found = ended(f"""
        import threading
        from pipeline import processes
        def other():
            time.sleep(1)
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        threading.Thread(target=other, daemon=True).start()
        with processes.started({LATE}) as command:
            {waits}""", cwd=tmp_path)
    assert (found.returncode, found.stdout, found.stderr) == (
        130, "unwound\n", "stopped: interrupted\n")
    assert not (tmp_path / "late").exists()


@pytest.mark.parametrize("before", ["trap '' HUP;", "nohup"])
def test_what_is_to_outlive_its_terminal_does(before: str) -> None:
    found = ended("os.kill(os.getpid(), signal.SIGHUP); print('goes on')", before=before)
    assert (found.returncode, found.stdout) == (0, "goes on\nunwound\n")


def test_a_defect_keeps_its_traceback() -> None:
    for work, name in (("1 / 0", "ZeroDivisionError"), ("open('/none')", "FileNotFoundError"),
                       ("raise BrokenPipeError(32, 'a socket')", "BrokenPipeError")):
        found = ended(work)
        assert found.returncode == 1
        assert "Traceback" in found.stderr and name in found.stderr


def test_what_a_user_can_mend_has_code_2() -> None:
    found = ended("raise UserError('mend it: é')", env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert (found.returncode, found.stderr) == (2, "error: mend it: \\xe9\n")


REFUSED = {
    "a folder": ("open('{folder}', 'w')", "{folder}: is a directory;"),
    "below a file": ("open('{folder}/file/x', 'w')", "{folder}/file/x: not a directory;"),
    "a long name": ("open('{folder}/' + 'x' * 300, 'w')", ": file name too long;"),
    "a circle": ("open('{folder}/circle', 'w')", "{folder}/circle: too many levels"),
    "a full disk": ("open('/dev/full', 'w', 1).write('x\\n')",
                    "what was being written: no space left on device; make room and run"),
    "a limit": ("open('{folder}/big', 'wb', 0).write(bytes(2000)); "
                "open('{folder}/big', 'ab', 0).write(b'x')",
                "what was being written: file too large; raise the limit"),
}


def test_a_stop_while_an_object_is_removed_is_a_stop(tmp_path: Path) -> None:
    found = ended(f"""
        import subprocess
        type('One', (), {{'__del__': lambda self: os.kill(os.getpid(), signal.SIGINT)}})()
        subprocess.run({LATE})""", cwd=tmp_path)
    assert not (tmp_path / "late").exists()
    assert (found.returncode, found.stdout, found.stderr) == (
        130, "unwound\n", "stopped: interrupted\n")


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_system_refuses_is_named(what: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    work, message = (text.replace("{folder}", str(tmp_path)) for text in REFUSED[what])

    def limit() -> None:
        if what == "a limit":
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    found = ended(work, preexec_fn=limit)
    assert found.returncode == 2
    assert found.stderr.startswith("error: ") and message in found.stderr
    assert found.stderr.count("\n") == 1


@pytest.mark.parametrize("code, remedy", [
    (errno.EACCES, "name another place or change this one"),
    (errno.EROFS, "name another place or change this one"), (errno.EDQUOT, "make room")])
def test_refusals_that_root_does_not_meet(code: int, remedy: str) -> None:
    found = ended(f"raise OSError({code}, os.strerror({code}), '/there/file')")
    assert found.returncode == 2
    assert found.stderr == (f"error: /there/file: {os.strerror(code).lower()}; "
                            f"{remedy} and run again\n")


@pytest.mark.parametrize("work, said", [
    ("[os.dup(1) for _ in range(9999)]", "this process may open no more files; raise the limit of"),
    ("raise OSError(12, 'Cannot allocate memory')", "there is no memory left; end other programs"),
    ("import subprocess; subprocess.run(['git-of-nobody'])",
     "there is no program 'git-of-nobody' on the command path; install it"),
    ("import subprocess; subprocess.run(['git', 'rev-parse', 'HEAD'], check=True, stderr=-1)",
     "'git rev-parse HEAD' failed in {folder}: fatal: not a git repository"),
    ("import tempfile; tempfile._candidate_tempdir_list = "
     "lambda: ['{folder}/none']; tempfile.gettempdir()",
     "No usable temporary directory found in ['{folder}/none']; make room or set TMPDIR to"),
    ("import sqlite3; sqlite3.connect('{folder}/none/a.db')",
     "a database cannot be used (unable to open database file); make room, see that"),
    ("import sqlite3; sqlite3.connect('file:{folder}/a.db?mode=ro', uri=True).execute('vacuum')",
     "a database cannot be used ("),
])
def test_what_a_machine_lacks_is_named(work: str, said: str, tmp_path: Path) -> None:
    if "?mode=ro" in work:
        database = sqlite3.connect(tmp_path / "a.db")
        database.execute("create table kept (one)")
        database.close()
    found = ended(work.replace("{folder}", str(tmp_path)), before="ulimit -n 200;", cwd=tmp_path)
    assert found.returncode == 2, found.stderr
    assert said.replace("{folder}", str(tmp_path)) in found.stderr
    assert found.stderr.startswith("error: ") and "Traceback" not in found.stderr


@pytest.mark.skipif(not os.access("/tmp", os.W_OK), reason="there is no other place")
@pytest.mark.parametrize("length, stays", [(40, True), (100, False)])
def test_workers_start_whatever_the_folder_for_temporary_files_is_called(
        length: int, stays: bool) -> None:
    place = Path(tempfile.mkdtemp(prefix="x" * (length - 14), dir="/tmp"))
    (place / "script.py").write_text(PROGRAM.format("""
        import multiprocessing, tempfile
        with multiprocessing.get_context('forkserver').Pool(1) as pool:
            print(pool.apply(os.path.dirname, [tempfile.mkdtemp()]))""").replace(
                "run_command(main)", "if __name__ == '__main__': run_command(main)"))
    found = _shell("", [sys.executable, str(place / "script.py")],
                   env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(place)})
    shutil.rmtree(place)
    assert found.returncode == 0, found.stderr
    assert found.stdout.splitlines()[0] == (str(place) if stays else "/tmp")


@pytest.mark.parametrize("work", [
    "import sqlite3; sqlite3.connect(':memory:').execute('select nothing')",
    "import subprocess; subprocess.run(['false'], check=True)"])
def test_a_wrong_question_is_a_defect(work: str) -> None:
    found = ended(work)
    assert found.returncode == 1 and "Traceback" in found.stderr


@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_minds_a_full_disk_a_gone_reader_or_a_terminal_of_ascii(verb: str) -> None:
    help_of = [sys.executable, "-m", "pipeline", verb, "--help"]
    full = _shell("", help_of, "> /dev/full")
    assert (full.returncode, full.stderr) == (
        2, "error: standard output cannot be written (No space left on device); make room or name "
           "another place\n")
    gone = _shell("", help_of, "| true")
    # 1 is the code of the library that prints the help; what the project prints itself has 141.
    assert gone.returncode in (0, 1, 141) and gone.stderr == ""
    odd = _shell("", [sys.executable, "-m", "pipeline", verb, "--suite", "ħé\udc80"],
                 env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"})
    assert odd.returncode == 2
    assert odd.stderr.startswith("error: ") and odd.stderr.isascii()
    assert "Traceback" not in odd.stderr


def test_a_listing_shows_every_letter_or_its_number(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text("utf-8")
    (tmp_path / "params.yaml").write_text(text.replace("title: Sums", "title: Sömme ħ", 1), "utf-8")
    assert "Sömme" in (tmp_path / "params.yaml").read_text("utf-8")
    for encoding, shown in (("ascii", "S\\xf6mme \\u0127"), ("latin-1", "Sömme \\u0127"),
                            ("utf-8", "Sömme ħ")):
        assert shown in _on_terminal([sys.executable, "-m", "pipeline", "ls"], tmp_path, encoding)


def _on_terminal(command: list[str], folder: Path, encoding: str) -> str:
    """What a command shows on a terminal of an encoding."""
    ours, its = pty.openpty()
    with subprocess.Popen(command, cwd=folder, stdout=its, stderr=subprocess.STDOUT,
                          env=os.environ | {"PYTHONPATH": str(ROOT),
                                            "PYTHONIOENCODING": encoding}) as process:
        os.close(its)
        shown = b""
        with contextlib.suppress(OSError):  # so Linux tells that the other end is closed
            while block := os.read(ours, 65536):
                shown += block
        os.close(ours)
    assert process.returncode == 0, shown
    return shown.decode(encoding)


def _calls(tree: ast.AST) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def _scripts() -> list[Path]:
    return [path for folder in ("pipeline", "stages") for path in (ROOT / folder).rglob("*.py")
            if '__name__ == "__main__"' in path.read_text("utf-8")]


def test_every_script_ends_so() -> None:
    """But for two that users never call, and the one that any Python has to run."""
    assert len(_scripts()) > 10
    assert {path.name for path in _scripts()
            if "run_command" not in _calls(ast.parse(path.read_text("utf-8")))} == {
                "guardian.py", "fork_server.py", "check_python.py"}


def test_nobody_else_starts_processes() -> None:
    """Others ask git or an installed Python a short question, and wait for the answer."""
    starting = ("subprocess.Popen", "subprocess.run", "subprocess.call", "subprocess.check_call",
                "subprocess.check_output", "os.system", "os.fork", "os.popen", "os.spawn",
                "ProcessPoolExecutor", "multiprocessing.Process", "multiprocessing.Pool", "Popen")
    found = {path.relative_to(ROOT / "pipeline").as_posix(): calls
             for path in (ROOT / "pipeline").rglob("*.py")
             if (calls := _calls(ast.parse(path.read_text("utf-8"))) & {*starting})}
    assert found == {
        "guardian.py": {"subprocess.Popen"}, "processes.py": {"subprocess.Popen"},
        "workflow/fork_server.py": {"os.fork"},
        "installation/check_python.py": {"subprocess.Popen"},
        "installation/fit_torchaudio.py": {"subprocess.run"},
        "verification/verify.py": {"subprocess.run"}, "running/fitting.py": {"subprocess.run"},
        "verification/records.py": {"subprocess.run"}, "results/moved.py": {"subprocess.run"}}
