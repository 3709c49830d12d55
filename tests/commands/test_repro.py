"""The runner that puts stages side by side: order, limits, failures, and what it leaves behind."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dvc.repo import Repo

from pipeline.commands import repro
from pipeline.commands.repro import Plan
from pipeline.errors import UserError
from pipeline.suite.schema import load


def plan(waits_for: dict[str, set[str]], **seconds: float) -> Plan:
    return Plan(waits_for, {stage: seconds.get(stage, 1.0) for stage in waits_for})


def test_only_stages_whose_predecessors_are_done_are_ready() -> None:
    found = plan({"a": set(), "b": {"a"}, "c": {"a", "b"}})
    assert found.ready(set(), set()) == ["a"]
    assert found.ready({"a"}, {"a"}) == ["b"]
    assert found.ready({"a", "b"}, {"a", "b"}) == ["c"]


def test_the_longest_chain_of_work_starts_first() -> None:
    # 'short' alone takes longer than 'first', but 'first' holds up 'long'.
    found = plan({"short": set(), "first": set(), "long": {"first"}}, short=5, first=1, long=10)
    assert found.ready(set(), set()) == ["first", "short"]


def test_a_stage_shares_a_call_with_the_one_that_it_alone_lets_start() -> None:
    found = plan({"train": set(), "evaluate": {"train"}, "other": set(),
                  "board": {"train", "evaluate", "other"}, "report": {"board"}})
    assert found.chain("train", set(), {"train", "other"}) == ["train", "evaluate"]
    assert found.chain("train", {"other"}, {"train", "other"}) == [
        "train", "evaluate", "board", "report"]


def test_a_stage_does_not_take_along_what_could_start_without_it() -> None:
    found = plan({"a": set(), "b": set(), "c": {"b"}})
    assert found.chain("a", set(), set()) == ["a"]


def test_a_stage_that_lets_several_start_is_called_alone() -> None:
    found = plan({"features": set(), "a": {"features"}, "b": {"features"}})
    assert found.chain("features", set(), {"features"}) == ["features"]


def test_short_stages_share_a_call_as_long_as_others_have_work() -> None:
    found = plan({"a": set(), "a-then": {"a"}, "b": set(), "c": set(), "d": set()})
    assert found.call("a", set(), {"a"}, 1) == ["a", "a-then", "b", "c"]
    assert found.call("a", set(), {"a"}, 2) == ["a", "a-then", "b"]


def test_a_long_stage_has_a_call_of_its_own() -> None:
    found = plan({"long": set(), "a": set(), "b": set(), "c": set()}, long=100.0)
    assert found.call("long", set(), {"long"}, 1) == ["long"]
    assert found.call("a", set(), {"a"}, 1) == ["a"]


def test_a_stage_that_others_wait_for_does_not_wait_for_more() -> None:
    found = plan({"features": set(), "x": {"features"}, "y": {"features"}, "a": set(), "b": set()})
    assert found.call("features", set(), {"features"}, 1) == ["features"]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Stages that are real processes, running a few lines of Python instead of a DVC stage."""
    monkeypatch.setattr(repro, "ROOT", tmp_path)

    def start(stages: list[str]) -> repro.Running:
        log = tmp_path / f"{stages[0]}.log"
        script = "\n".join(SCRIPTS[stage] for stage in stages)
        with log.open("wb") as output:
            process = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path,
                                       stdout=output, stderr=subprocess.STDOUT,
                                       start_new_session=True)
        return repro.Running(stages, process, log)

    monkeypatch.setattr(repro, "_start", start)
    return tmp_path


NOTE = "open('order', 'a').write({!r} + '\\n')"
SCRIPTS = {
    "a": NOTE.format("a"), "b": NOTE.format("b"), "c": NOTE.format("c"),
    "bad": "import sys; print('the reason'); sys.exit(3)",
    "endless": "import time, os; open('pid', 'w').write(str(os.getpid())); time.sleep(600)",
}


def test_stages_run_in_the_graphs_order_whatever_the_jobs(scripted: Path) -> None:
    for jobs in (1, 3):
        (scripted / "order").unlink(missing_ok=True)
        repro.run(plan({"c": {"b"}, "b": {"a"}, "a": set()}), jobs)
        assert (scripted / "order").read_text().split() == ["a", "b", "c"]


def test_a_failed_stage_ends_the_run_with_its_reason_and_no_process_is_left(
        scripted: Path) -> None:
    SCRIPTS["bad-later"] = ("import os, sys, time\n"
                            "while not os.path.exists('pid'): time.sleep(0.05)\n"
                            "print('the reason'); sys.exit(3)")
    with pytest.raises(UserError, match=r"(?s)bad-later failed.*the reason"):
        repro.run(plan({"bad-later": set(), "endless": set()}), 2)
    pid = int((scripted / "pid").read_text())
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} of another stage is still running")


def test_what_waits_for_a_failed_stage_does_not_run(scripted: Path) -> None:
    with pytest.raises(UserError, match="bad, a failed"):
        repro.run(plan({"bad": set(), "a": {"bad"}}), 2)
    assert not (scripted / "order").exists()


def test_dry_run_names_every_stage_of_a_suite_and_runs_none(root: Path) -> None:
    suite = load(root / "large/params.yaml")
    outputs = [root / "large" / name for name in ("data", "features", "models")]
    before = [path.exists() for path in outputs]
    found = subprocess.run([sys.executable, "-m", "pipeline.commands.repro", "large/params.yaml",
                            "--dry-run"], cwd=root, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    names = [line.removeprefix("large/dvc.yaml:") for line in found.stdout.split()]
    for key, entry in suite.systems.items():
        track = suite.tracks[entry["track"]]
        chain = [f"download@{track.corpus}", f"features@{entry['track']}", f"train@{key}",
                 f"evaluate@{key}", f"leaderboard@{entry['track']}", "report"]
        assert [names.index(stage) for stage in chain] == sorted(map(names.index, chain))
    assert [path.exists() for path in outputs] == before


def test_another_dvc_command_at_work_is_named(root: Path) -> None:
    with Repo(str(root)) as repo, repo.lock:
        found = subprocess.run([sys.executable, "-m", "pipeline.commands.repro", "large/params.yaml",
                                "--dry-run"], cwd=root, capture_output=True, text=True)
    assert found.returncode == 2
    assert "another dvc command is at work in this folder" in found.stderr


@pytest.mark.parametrize("left", ["", "schema: '2.0'\nstages:\n  a:\n    cmd: ["])
def test_a_lock_file_that_a_kill_cut_short_is_named(left: str, root: Path, tmp_path: Path,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    Repo.init(str(tmp_path), no_scm=True)
    (tmp_path / "dvc.yaml").write_text("stages:\n  a:\n    cmd: echo\n    outs: [b]\n")
    (tmp_path / "dvc.lock").write_text(left)
    monkeypatch.setattr(repro, "ROOT", tmp_path)
    with pytest.raises(UserError, match=r"(?s)dvc\.lock.*git checkout"):
        repro.make_plan(load(root / "params.yaml"), "dvc.yaml")


def test_no_jobs_is_refused(root: Path) -> None:
    found = subprocess.run([sys.executable, "-m", "pipeline.commands.repro", "--jobs", "0"], cwd=root,
                           capture_output=True, text=True)
    assert found.returncode == 2
    assert "at least one stage" in found.stderr
