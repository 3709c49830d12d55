"""Commands run in forks of a warm process: as `python -m` would run them, or not at all."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.workflow.fork_server import Command, fork_server, run_forked

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone forks")

STAGES = {
    "tell": """
import json, os, sys
if __name__ == "__main__":
    print(json.dumps([sys.argv, os.getcwd(), dict(os.environ), sys.path[0], __name__,
                      sys.modules["__main__"].__file__, os.read(0, 1).decode()]))
    print("a warning", file=sys.stderr)
""",
    "exit": "import sys; sys.exit(eval(sys.argv[1]))",
    "fail": "raise KeyError('a defect')",
    "late": "import atexit, sys; atexit.register(print, 'at the end'); sys.stdout.write('first,')",
    "die": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "endless": "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(600)",
    "train": "import os, sys; print(sorted({'lightning', 'mlflow', 'torch'} & set(sys.modules)),"
             " len(os.listdir('/proc/self/task')))",
}
CLIENT = """
import os, sys
from pathlib import Path
from pipeline.workflow.fork_server import Command, run_forked
module, *arguments = sys.argv[2:]
code = run_forked(Path(sys.argv[1]), Command(module, arguments, os.getcwd(), dict(os.environ)))
sys.exit(99 if code is None else code if code >= 0 else 100 - code)
"""


@pytest.fixture
def project(tmp_path: Path, root: Path) -> Path:
    (tmp_path / "pipeline").symlink_to(root / "pipeline")
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages/__init__.py").touch()
    for name, text in STAGES.items():
        (tmp_path / f"stages/{name}.py").write_text(text)
    return tmp_path


@pytest.fixture
def server(project: Path) -> Iterator[Path]:
    with fork_server(project, dict(os.environ)) as address:
        assert address
        yield address


def forked(project: Path, server: Path, *command: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", CLIENT, str(server), *command], cwd=project,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)


def spawned(project: Path, *command: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", *command], cwd=project, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL)


def test_a_fork_sees_what_a_new_process_sees(project: Path, server: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLLED_TEST", "of the client, not of the server")
    command = ["stages.tell", "a", "b"]
    mine, own = (json.loads(done.stdout) for done in (
        forked(project, server, *command), spawned(project, *command)))
    assert mine == own
    assert mine[2]["UNROLLED_TEST"] == "of the client, not of the server"


@pytest.mark.parametrize("command", [
    ["stages.exit", "None"], ["stages.exit", "3"], ["stages.exit", "'a reason'"], ["stages.late"],
    ["stages.tell"]])
def test_a_fork_ends_as_a_new_process_does(project: Path, server: Path,
                                           command: list[str]) -> None:
    mine, own = forked(project, server, *command), spawned(project, *command)
    assert (mine.returncode, mine.stdout, mine.stderr) == (
        own.returncode, own.stdout, own.stderr)


def test_a_defect_has_its_traceback(project: Path, server: Path) -> None:
    done = forked(project, server, "stages.fail")
    assert done.returncode == 1
    assert "stages/fail.py" in done.stderr and "KeyError: 'a defect'" in done.stderr


def test_a_signal_that_ended_a_fork_is_told(project: Path, server: Path) -> None:
    assert forked(project, server, "stages.die").returncode == 100 + signal.SIGTERM


def test_libraries_are_there_and_no_thread(project: Path, server: Path) -> None:
    assert forked(project, server, "stages.train").stdout == "['lightning', 'mlflow', 'torch'] 1\n"


def ended(pid: int) -> bool:
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def started(project: Path, server: Path) -> tuple[subprocess.Popen, int]:
    """A client whose command goes on for ten minutes, and the pid of that command."""
    client = subprocess.Popen([sys.executable, "-c", CLIENT, str(server), "stages.endless"],
                              cwd=project)
    pid = project / "pid"
    while not (pid.exists() and pid.read_text()):
        assert client.poll() is None
        time.sleep(0.05)
    return client, int(pid.read_text())


def test_a_fork_ends_with_its_client(project: Path, server: Path) -> None:
    client, pid = started(project, server)
    client.kill()
    client.wait()
    assert ended(pid)
    assert forked(project, server, "stages.exit", "0").returncode == 0


def test_a_fork_ends_with_the_server_and_its_client_is_told(project: Path, server: Path) -> None:
    client, pid = started(project, server)
    parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(parent, signal.SIGKILL)
    assert ended(pid)
    assert client.wait() == 1  # a UserError's traceback: the script does not catch it


def test_nothing_is_forked_elsewhere_or_by_a_server_that_has_ended(project: Path) -> None:
    with fork_server(project, dict(os.environ)) as address:
        command = Command("stages.exit", ["0"], str(project / "stages"), dict(os.environ))
        assert run_forked(address, command) is None
    assert run_forked(address, command) is None


THREAD = """
import threading, time
threading.Thread(target=time.sleep, args=[600], daemon=True).start()
"""


def test_nothing_is_forked_while_another_thread_runs(project: Path) -> None:
    (project / "sitecustomize.py").write_text(THREAD)
    with fork_server(project, os.environ | {"PYTHONPATH": str(project)}) as address:
        assert forked(project, address, "stages.exit", "0").returncode == 99


def test_a_folder_that_is_too_long_for_sockets_serves_nobody(
        project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / ("x" * 90)
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    with fork_server(project, dict(os.environ)) as address:
        assert address is None
