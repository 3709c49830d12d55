"""A dvc.lock that a kill, a merge or a hand has damaged: read as it is, or refused by name."""

import itertools
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pipeline.commands.main import run
from pipeline.errors import UserError
from pipeline.provenance.lock import Lock, read_lock
from pipeline.suite.places import Places
from pipeline.workflow.dvc import read_graph, run_stages, settle
from tests.conftest import ROOT
from tests.trials import trials
from tests.workflow.test_repro import small_addition

pytestmark = pytest.mark.fuzz

STAGES = """\
stages:
  a: {cmd: mkdir -p a && echo a > a/b, deps: [base], outs: [a]}
  b: {cmd: cp a/b c, deps: [a], outs: [{c: {cache: false}}], params: [rate]}
"""
VALUES: list[Any] = [None, "", "x", 0, -1, 2**70, 1.5, True, [], ["x"], [None], {}, {"x": "y"},
                     {"path": 3}, [{"path": "a"}], "2024-13-45", b"\xff"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("locked")
    Repo.init(str(folder), no_scm=True)
    (folder / "dvc.yaml").write_text(STAGES)
    (folder / "base").write_text("base")
    (folder / "params.yaml").write_text("rate: 1\n")
    run_stages(folder, ["a", "b"])
    return folder


@pytest.fixture(scope="module")
def content(project: Path) -> bytes:
    return (project / "dvc.lock").read_bytes()


def ask(project: Path) -> None:
    """All that the project asks of a lock itself."""
    lock = Lock(Places(project, ""))
    for stage, kind in itertools.product(("a", "b"), ("deps", "outs")):
        for name in ("a", "c", "base"):
            assert isinstance(lock.entry(stage, kind, project / name).get("md5", ""), str)
        lock.folder(stage, project / "a")
        lock.wrote(stage, project / "c")


def answered(project: Path, damaged: bytes) -> bool:
    """Whether the lock is taken as it is; another error than the one that names it goes on."""
    (project / "dvc.lock").write_bytes(damaged)
    os.utime(project / "dvc.lock", (0, 0))  # nobody is writing it any more
    try:
        ask(project)
    except UserError as error:
        assert str(error).startswith(f"{project / 'dvc.lock'} is damaged")
        assert str(error).count("\n") == 0
        with pytest.raises(UserError, match="damaged"):
            read_graph(project, "dvc.yaml")
        return False
    try:
        read_graph(project, "dvc.yaml")
    except UserError as error:
        assert "dvc.lock" in str(error)
    return True


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_cut_at_any_byte(project: Path, content: bytes, data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(content) - 1))
    answered(project, content[:end])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_byte_changed_or_missing(project: Path, content: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(content) - 1))
    other = data.draw(st.binary(max_size=1))
    answered(project, content[:place] + other + content[place + 1:])


def places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """The way to each value of nested lists and dicts."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(
        value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def changed(value: Any, path: tuple, new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


def test_any_value_replaced_by_any_other_kind(project: Path, content: bytes,
                                              tmp_path: Path) -> None:
    whole = YAML(typ="safe").load(content)
    trial = list(itertools.product(places(whole), VALUES))
    for path, new in trial[:: 1 if trials(0, 1) else 7]:
        file = tmp_path / "changed"
        YAML(typ="safe").dump(changed(whole, path, new), file)
        answered(project, file.read_bytes())


def test_half_a_lock_an_empty_one_and_two_that_git_could_not_merge_are_refused(
        project: Path, content: bytes) -> None:
    assert answered(project, content)
    lines = content.splitlines(keepends=True)
    merged = [*lines[:3], b"<<<<<<< HEAD\n", lines[3], b"=======\n", lines[3], b">>>>>>> other\n",
              *lines[4:]]
    for damaged in (b"", b"\xff\xfe", b"\0", b"[" * 5000, b"".join(merged)):
        assert not answered(project, damaged)
    with pytest.raises(UserError, match="line 4 is a mark of two versions that git could not mer"):
        read_lock(project / "dvc.lock")
    for act in (lambda: run_stages(project, ["a"]), lambda: settle(project, "a")):
        with pytest.raises(UserError, match="damaged"):
            act()


def test_one_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    """DVC writes in place: another process reads the file at any moment of it."""
    path, half = tmp_path / "dvc.lock", threading.Event()

    def write() -> None:
        with path.open("w") as file:
            file.write("schema: '2.0'\nstages:\n  a:\n    cmd: 'true")
            file.flush()
            half.set()
            time.sleep(0.05)
            file.write("'\n")

    writer = threading.Thread(target=write)
    writer.start()
    half.wait()
    assert read_lock(path) == {"a": {"cmd": "true"}}
    writer.join()


def test_a_folder_in_its_place_is_refused(project: Path, content: bytes) -> None:
    (project / "dvc.lock").unlink()
    (project / "dvc.lock").mkdir()
    try:
        for act in (lambda: ask(project), lambda: read_graph(project, "dvc.yaml")):
            with pytest.raises(UserError, match=r"damaged \(a folder\)"):
                act()
    finally:
        (project / "dvc.lock").rmdir()
        (project / "dvc.lock").write_bytes(content)


@pytest.mark.parametrize("verb", [
    ["repro"], ["repro", "--track", "addition"], ["repro", "--dry-run"],
    ["try", "--track", "addition"], ["publish"], ["ui"]])
def test_every_verb_that_reads_it_says_so_in_a_line(
        verb: list[str], addition: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(addition)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{addition}/runs.db")
    with pytest.raises(UserError, match=r"dvc\.lock is damaged \(line 5 is no YAML\); .*") as told:
        run(verb)
    assert str(told.value).count("\n") == 0 and capsys.readouterr().out == ""


@pytest.fixture(scope="module")
def addition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("addition")
    small_addition(ROOT, folder)
    (folder / "dvc.lock").write_text("schema: '2.0'\nstages:\n  a:\n    cmd: [")
    return folder
