"""What is asked of DVC's internals, each of them tried on a small repository."""

import ast
import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from dvc.repo import Repo
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from pipeline.errors import UserError
from pipeline.workflow import dvc as adapter
from pipeline.workflow.dvc import Graph, read_graph, run_stages, settle

STAGES = """\
stages:
  a: {cmd: echo a > a, outs: [a]}
  unrecorded: {cmd: "test ! -e dvc.lock && cp a b", deps: [a], outs: [b]}
  recorded: {cmd: "grep -q 'a:' dvc.lock && cp a c", deps: [a], outs: [c]}
  bad: {cmd: 'false', outs: [d]}
  train:
    foreach: {x: a, y: other}
    do:
      cmd: "cp ${item} ${key}; if test -e dvc.lock; then cp dvc.lock ${key}.lock; fi"
      deps: ["${item}"]
      outs: ["${key}"]
"""
NAMES = {"a", "unrecorded", "recorded", "bad", "train@x", "train@y"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    Repo.init(str(tmp_path), no_scm=True)
    (tmp_path / "dvc.yaml").write_text(STAGES)
    (tmp_path / "other").write_text("other")
    return tmp_path


def changed(root: Path) -> set[str]:
    return read_graph(root, "dvc.yaml").changed


def test_the_versions_of_dvc_are_those_that_are_installed_and_required(root: Path) -> None:
    fitting = SpecifierSet(adapter.VERSIONS)
    assert importlib.metadata.version("dvc") in fitting
    required = map(Requirement, tomllib.loads((root / "pyproject.toml").read_text())[
        "project"]["dependencies"])
    assert [found.specifier for found in required if found.name == "dvc"] == [fitting]


def test_outside_a_repository_the_remedy_is_named(project: Path) -> None:
    (project / ".dvc/config").write_text("")
    with pytest.raises(UserError, match="is not a git repository.*'git clone', or call 'git init'"):
        read_graph(project, "dvc.yaml")
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    assert changed(project) == NAMES
    shutil.rmtree(project / ".dvc")
    with pytest.raises(UserError, match=r"lacks DVC's folder \.dvc; take it back by 'git checkout"):
        read_graph(project, "dvc.yaml")


def test_no_other_module_knows_dvc(root: Path) -> None:
    files = [path for folder in ("pipeline", "stages", "benchmarks")
             for path in (root / folder).rglob("*.py")]
    knowing = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = ([alias.name for alias in node.names] if isinstance(node, ast.Import)
                     else [node.module or ""] if isinstance(node, ast.ImportFrom) else [])
            if any(name.split(".")[0] == "dvc" for name in names):
                knowing.add(path.relative_to(root).as_posix())
    assert knowing == {"pipeline/workflow/dvc.py"}


def test_the_graph_says_what_waits_and_what_has_changed(project: Path) -> None:
    (project / "more").mkdir()
    (project / "more/dvc.yaml").write_text(
        "stages:\n  z: {cmd: cp ../a z, deps: [../a], outs: [z]}")
    needs = {name: {"a"} if name in ("unrecorded", "recorded", "train@x") else set()
             for name in NAMES}
    assert read_graph(project, "dvc.yaml") == Graph(needs, NAMES)
    assert read_graph(project, "more/dvc.yaml").needs == {"more/dvc.yaml:z": set()}


def test_stages_that_end_soon_are_recorded_together(project: Path) -> None:
    run_stages(project, ["a", "unrecorded"])
    assert changed(project) == NAMES - {"a", "unrecorded"}


def test_a_stage_is_recorded_before_the_next_when_work_would_be_lost(
        project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "_UNRECORDED_SECONDS", 0.0)
    run_stages(project, ["a", "recorded"])
    assert changed(project) == NAMES - {"a", "recorded"}


def test_data_is_recorded_before_the_training_that_looks_up_its_hash(project: Path) -> None:
    run_stages(project, ["a", "train@y", "train@x"])
    assert not (project / "y.lock").exists()
    assert "a:" in (project / "x.lock").read_text()


def test_what_has_not_changed_does_not_run_again(project: Path) -> None:
    run_stages(project, ["a", "unrecorded"])
    before = (project / "a").stat().st_mtime_ns
    run_stages(project, ["a", "unrecorded"])
    assert (project / "a").stat().st_mtime_ns == before


def test_what_was_done_before_a_failure_is_recorded(project: Path) -> None:
    with pytest.raises(UserError, match="bad.*exited with 1"):
        run_stages(project, ["a", "bad", "recorded"])
    assert changed(project) == NAMES - {"a"}


def test_beginnings_and_ends_are_told(project: Path) -> None:
    told: list[tuple[str, str]] = []
    with pytest.raises(UserError):
        run_stages(project, ["a", "bad"], watch=lambda *event: told.append(event))
    assert told == [("begins", "a"), ("ends", "a"), ("begins", "bad")]


def test_a_command_can_be_run_by_somebody_else_or_be_left_to_dvc(project: Path) -> None:
    handed: list[tuple[str, str, str]] = []

    def run(command: str, folder: str, environment: dict[str, str]) -> int | None:
        handed.append((command, folder, environment["DVC_STAGE"]))
        if "cp a b" in command:
            return None
        (project / "a").write_text("by somebody else")
        return 0

    run_stages(project, ["a", "unrecorded"], run_command=run)
    assert handed == [("echo a > a", str(project), "a"),
                      ("test ! -e dvc.lock && cp a b", str(project), "unrecorded")]
    assert (project / "b").read_text() == "by somebody else"
    with pytest.raises(UserError, match="bad.*exited with 7"):
        run_stages(project, ["bad"], run_command=lambda *_: 7)
    run_stages(project, ["recorded"])
    assert (project / "c").read_text() == "by somebody else"


def test_another_dvc_command_at_work_is_named(project: Path) -> None:
    with Repo(str(project)) as repo, repo.lock, pytest.raises(
            UserError, match="another dvc command is at work in this folder"):
        read_graph(project, "dvc.yaml")


@pytest.mark.parametrize("left", ["", "schema: '2.0'\nstages:\n  a:\n    cmd: ["])
@pytest.mark.parametrize("file", ["dvc.lock", "real/dvc.lock"])
def test_a_lock_file_that_a_kill_cut_short_is_named(left: str, file: str, project: Path) -> None:
    (project / "real").mkdir()
    (project / file).write_text(left)
    for ask in (lambda: read_graph(project, "dvc.yaml"), lambda: run_stages(project, ["a"]),
                lambda: settle(project, "a")):
        with pytest.raises(UserError, match=rf"(?s){file}.*git checkout"):
            ask()


@pytest.mark.parametrize("left", ["", '{"write": {"a"'])
def test_a_list_of_files_in_use_that_a_kill_cut_short_blocks_nobody(
        left: str, project: Path) -> None:
    (project / ".dvc/tmp/rwlock").write_text(left)
    assert changed(project) == NAMES
    run_stages(project, ["a"])
    assert changed(project) == NAMES - {"a"}


def test_files_that_a_killed_process_used_are_free_and_those_of_a_living_one_are_not(
        project: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for pid in (ended.pid, os.getppid()):
        (project / ".dvc/tmp/rwlock").write_text(json.dumps(
            {"write": {str(project / "a"): {"pid": pid, "cmd": "dvc repro"}}}))
        if pid == ended.pid:
            run_stages(project, ["a"])
    (project / "a").unlink()
    with pytest.raises(UserError, match=r"(?s)is busy.*PID.*rwlock"):
        run_stages(project, ["a"])


KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline.workflow.dvc import run_stages
def watch(event, stage):
    if (event, stage) == ("ends", sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
run_stages(Path(sys.argv[1]), ["a", "unrecorded", "train@y"], watch)
"""


@pytest.mark.parametrize("last", ["a", "unrecorded"])
def test_what_a_killed_process_had_done_is_taken_over(
        last: str, project: Path, root: Path) -> None:
    """`unrecorded` has no result in DVC's run cache: it is not the cache that gives it back."""
    (project / "dvc.yaml").write_text(STAGES.replace("outs: [b]", "outs: [{b: {cache: false}}]"))
    command = [sys.executable, "-c", KILLED, str(project), last]
    assert subprocess.run(command, cwd=root).returncode == -signal.SIGKILL
    assert not (project / "dvc.lock").exists()
    (notes,) = (project / ".dvc/tmp/unrolled").iterdir()
    with notes.open("a") as file:
        file.write('["half a li')
    done = {"a"} if last == "a" else {"a", "unrecorded"}
    assert changed(project) == NAMES - done
    assert not list((project / ".dvc/tmp/unrolled").iterdir())
    run_stages(project, sorted(done))
    before = (project / "dvc.lock").read_bytes()
    (project / "dvc.lock").unlink()
    run_stages(project, sorted(done))
    assert (project / "dvc.lock").read_bytes() == before


def test_a_lock_does_not_depend_on_which_stage_was_recorded_first(project: Path) -> None:
    locks = []
    for targets in (["a", "train@y"], ["train@y", "a"]):
        (project / "dvc.lock").unlink(missing_ok=True)
        for target in targets:
            run_stages(project, [target])
        locks.append((project / "dvc.lock").read_text())
    assert locks[0] == locks[1]
    assert locks[0].index("  a:") < locks[0].index("  train@y:")


def test_what_is_left_over_is_settled_with_whole_locks(project: Path) -> None:
    run_stages(project, ["a"])
    with (project / "dvc.lock").open() as reader:
        before = reader.read()
        settle(project, "train@x")
        reader.seek(0)
        assert reader.read() == before
    assert {"a", "train@x"} & changed(project) == set()
    with pytest.raises(UserError, match="bad"):
        settle(project, "bad")


def test_whoever_reads_the_lock_meanwhile_has_all_of_it(project: Path) -> None:
    """A new lock takes the old one's place: the file that a reader has open is not written over."""
    run_stages(project, ["a"])
    with (project / "dvc.lock").open() as reader:
        before = reader.read()
        run_stages(project, ["train@y"])
        reader.seek(0)
        assert reader.read() == before
    assert "train@y" in (project / "dvc.lock").read_text()
