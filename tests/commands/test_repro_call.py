"""Stages that DVC runs in one process: what is recorded, when, and after which ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dvc.repo import Repo

from pipeline.commands import repro_call
from pipeline.commands.repro_call import run_stages
from pipeline.errors import UserError

STAGES = """\
stages:
  a: {cmd: echo a > a, outs: [a]}
  unrecorded: {cmd: "test ! -e dvc.lock && cp a b", deps: [a], outs: [b]}
  recorded: {cmd: "grep -q 'a:' dvc.lock && cp a c", deps: [a], outs: [c]}
  bad: {cmd: 'false', outs: [d]}
  endless: {cmd: "echo > pid && sleep 600", outs: [e]}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    Repo.init(str(tmp_path), no_scm=True)
    (tmp_path / "dvc.yaml").write_text(STAGES)
    return tmp_path


def changed(root: Path) -> set[str]:
    """What DVC itself would run."""
    with Repo(str(root)) as repo, repo.lock:
        return {stage.name for stage in repo.index.stages if stage.changed()}


def test_stages_that_end_soon_are_recorded_together(project: Path) -> None:
    run_stages(project, ["a", "unrecorded"])
    assert changed(project) == {"recorded", "bad", "endless"}


def test_a_stage_is_recorded_before_the_next_when_work_would_be_lost(
        project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repro_call, "_UNRECORDED_SECONDS", 0.0)
    run_stages(project, ["a", "recorded"])
    assert changed(project) == {"unrecorded", "bad", "endless"}


def test_what_has_not_changed_does_not_run_again(project: Path) -> None:
    run_stages(project, ["a", "unrecorded"])
    before = (project / "a").stat().st_mtime_ns
    run_stages(project, ["a", "unrecorded"])
    assert (project / "a").stat().st_mtime_ns == before


def test_what_was_done_before_a_failure_is_recorded(project: Path) -> None:
    with pytest.raises(UserError, match="bad.*exited with 1"):
        run_stages(project, ["a", "bad", "recorded"])
    assert changed(project) == {"unrecorded", "recorded", "bad", "endless"}


def test_what_was_done_before_a_termination_is_recorded(project: Path, root: Path) -> None:
    script = ("import sys; from pathlib import Path; from pipeline.commands import repro_call; "
              "repro_call.ROOT = Path(sys.argv.pop()); repro_call.main()")
    process = subprocess.Popen([sys.executable, "-c", script, "a", "endless", str(project)],
                               cwd=root, start_new_session=True)
    while not (project / "pid").exists():
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait() == 143
    assert changed(project) == {"unrecorded", "recorded", "bad", "endless"}
