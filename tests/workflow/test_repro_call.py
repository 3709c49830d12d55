"""A call of DVC as a process: which commands it has forked, what it notes, how it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dvc.repo import Repo

from pipeline.workflow import repro_call
from pipeline.workflow.dvc import read_graph
from pipeline.workflow.fork_server import Command, fork_server

STAGES = """\
stages:
  a: {cmd: echo a > a, outs: [a]}
  endless: {cmd: "echo > pid && sleep 600", outs: [e]}
  forked: {cmd: python -m stages.endless now, outs: [f]}
"""
ENDLESS = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(600)"


@pytest.fixture
def project(tmp_path: Path, root: Path) -> Path:
    Repo.init(str(tmp_path), no_scm=True)
    (tmp_path / "dvc.yaml").write_text(STAGES)
    (tmp_path / "pipeline").symlink_to(root / "pipeline")
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages/__init__.py").touch()
    (tmp_path / "stages/endless.py").write_text(ENDLESS)
    return tmp_path


def terminated(project: Path, root: Path, *arguments: str) -> None:
    """Run stages in a call and terminate it when the last one is at work."""
    script = ("import sys; from pathlib import Path; from pipeline.workflow import repro_call; "
              "from pipeline.ending import run_command; "
              "repro_call.ROOT = Path(sys.argv.pop()); run_command(repro_call.main)")
    process = subprocess.Popen([sys.executable, "-c", script, *arguments, str(project)],
                               cwd=root, start_new_session=True)
    while not (project / "pid").exists():
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait() == 143


def test_what_was_done_before_a_termination_is_recorded(project: Path, root: Path) -> None:
    terminated(project, root, "a", "endless")
    assert read_graph(project, "dvc.yaml").changed == {"endless", "forked"}


def test_beginnings_and_ends_are_noted(project: Path, root: Path) -> None:
    terminated(project, root, "--progress", str(project / "progress"), "a", "endless")
    assert (project / "progress").read_text() == "begins a\nends a\nbegins endless\n"


def test_a_forked_stage_ends_with_its_call(project: Path, root: Path) -> None:
    with fork_server(project, dict(os.environ)) as address:
        if address is None:
            pytest.skip("Linux alone forks")
        terminated(project, root, "--server", str(address), "a", "forked")
        pid = int((project / "pid").read_text())
        for _ in range(200):
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                break
            time.sleep(0.05)
        else:
            pytest.fail(f"process {pid} of the stage is still running")
    assert read_graph(project, "dvc.yaml").changed == {"endless", "forked"}


@pytest.mark.parametrize("line, command", [
    ("python -m stages.train params.yaml lm-lstm", ("stages.train", ["params.yaml", "lm-lstm"])),
    ("python -m stages.report real/params.yaml", ("stages.report", ["real/params.yaml"])),
    ("python -m stages.train params.yaml $HOME", None),
    ("python -m stages.train params.yaml a > log", None),
    ("python -m stages.train params.yaml 'a b'", None),
    ("python -m other.train params.yaml", None),
    ("python3 -m stages.train params.yaml a", None),
    ("echo a; python -m stages.train params.yaml a", None)])
def test_stages_alone_are_forked(line: str, command: tuple[str, list[str]] | None,
                                 monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[Path, Command]] = []

    def run(*request: object) -> int:
        asked.append(request)
        return 0

    monkeypatch.setattr(repro_call, "run_forked", run)
    code = repro_call.forking(tmp_path)(line, "/folder", {"A": "b"})
    if command is None:
        assert (code, asked) == (None, [])
    else:
        assert (code, asked) == (0, [(tmp_path, Command(*command, "/folder", {"A": "b"}))])
