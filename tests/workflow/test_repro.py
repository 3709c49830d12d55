"""The runner that puts stages side by side: order, limits, failures, and what it leaves behind."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

from pipeline.errors import UserError
from pipeline.storage.files import read_json, sha256
from pipeline.suite.schema import Suite, load, read_yaml
from pipeline.workflow import repro
from pipeline.workflow.calls import Call
from pipeline.workflow.plan import Plan
from pipeline.workflow.progress import Progress

NOTE = "open('order', 'a').write({!r} + '\\n')"
SCRIPTS = {
    "a": NOTE.format("a"), "b": NOTE.format("b"), "c": NOTE.format("c"),
    "bad": "import sys; print('the reason'); sys.exit(3)",
    "bad-later": ("import os, sys, time\n"
                  "while not os.path.exists('pid'): time.sleep(0.05)\n"
                  "print('the reason'); sys.exit(3)"),
    "endless": "import time, os; open('pid', 'w').write(str(os.getpid())); time.sleep(600)",
}


@pytest.fixture
def run(tmp_path: Path, root: Path) -> Callable[[dict[str, set[str]], int], None]:
    """Runs stages that are real processes, a few lines of Python instead of a DVC stage."""
    suite = load(root / "params.yaml")

    def start(stages: list[str]) -> Call:
        log, progress = (tmp_path / f"{stages[0]}.{kind}" for kind in ("log", "progress"))
        script = "\n".join(f"open({str(progress)!r}, 'a').write('begins {stage}\\n')\n"
                           f"{SCRIPTS[stage]}" for stage in stages)
        with log.open("wb") as output:
            process = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path,
                                       stdout=output, stderr=subprocess.STDOUT,
                                       start_new_session=True)
        return Call(stages, process, log, progress)

    def run(waits_for: dict[str, set[str]], jobs: int) -> None:
        plan = Plan(waits_for, dict.fromkeys(waits_for, 1.0))
        repro.run(plan, jobs, start, Progress(suite, plan, jobs))

    return run


def test_stages_run_in_the_graphs_order_whatever_the_jobs(run: Callable, tmp_path: Path) -> None:
    for jobs in (1, 3):
        (tmp_path / "order").unlink(missing_ok=True)
        run({"c": {"b"}, "b": {"a"}, "a": set()}, jobs)
        assert (tmp_path / "order").read_text().split() == ["a", "b", "c"]


def test_a_failed_stage_ends_the_run_with_its_reason_and_no_process_is_left(
        run: Callable, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"(?s)bad-later failed.*the reason"):
        run({"bad-later": set(), "endless": set()}, 2)
    pid = int((tmp_path / "pid").read_text())
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} of another stage is still running")


def test_what_waits_for_a_failed_stage_does_not_run(run: Callable, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="bad failed"):
        run({"bad": set(), "a": {"bad"}}, 2)
    assert not (tmp_path / "order").exists()


def test_dry_run_names_every_stage_of_a_suite_and_runs_none(root: Path) -> None:
    suite = load(root / "large/params.yaml")
    outputs = [root / "large" / name for name in ("data", "features", "models")]
    before = [path.exists() for path in outputs]
    found = subprocess.run([sys.executable, "-m", "pipeline", "repro", "--suite", "large",
                            "--dry-run"], cwd=root, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert "known when validate has" in found.stderr
    names = [line.removeprefix("large/dvc.yaml:") for line in found.stdout.split()]
    for key, entry in suite.systems.items():
        track = suite.tracks[entry["track"]]
        chain = [f"download@{track.corpus}", f"features@{entry['track']}", f"train@{key}",
                 f"evaluate@{key}"]
        for last in (f"leaderboard@{entry['track']}", "report"):
            places = [names.index(stage) for stage in [*chain, last]]
            assert places == sorted(places)
    assert [path.exists() for path in outputs] == before


def small_addition(root: Path, folder: Path) -> Suite:
    """A copy of the code in `folder`, a DVC project whose suite is a track with a small network."""
    for name in ("pipeline", "stages"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", ".dvcignore"):
        shutil.copy(root / name, folder / name)
    raw = read_yaml(root / "params.yaml")
    raw["claims"] = []
    raw["tracks"] = {"addition": raw["tracks"]["addition"] | {"floor": None}}
    raw["corpora"] = {"sums": raw["corpora"]["sums"] | {"train": 60, "valid": 10, "test": 10}}
    entry = raw["systems"]["addition-gru"]
    raw["systems"] = {"addition-gru": entry | {
        "updates": 5, "training": entry["training"] | {"epochs": 2}}}
    YAML().dump(raw, folder / "params.yaml")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet"], cwd=folder, check=True)
    return load(folder / "params.yaml")


def environment() -> dict[str, str]:
    """That of `make`: DVC's commands say 'python'."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"}


def not_activated(folder: Path) -> dict[str, str]:
    """That of whoever calls the command by its path: another `python` is found first."""
    (folder / "bin").mkdir()
    (folder / "bin" / "python").write_text("#!/bin/sh\nexit 9\n")
    (folder / "bin" / "python").chmod(0o755)
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"}


RESULTS = ("features", "models", "predictions", "metrics", "figures", "inputs")


def results(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): sha256(path) for name in RESULTS
            for path in (folder / name).rglob("*") if path.is_file() and path.name != ".gitignore"}


def test_the_results_of_forked_stages_are_those_of_a_plain_repro(
        root: Path, tmp_path: Path) -> None:
    plain, forked = tmp_path / "plain", tmp_path / "forked"
    for folder in (plain, forked):
        small_addition(root, folder)
    subprocess.run([sys.executable, "-m", "dvc", "repro", "--quiet", "evaluate@addition-gru"],
                   cwd=plain, env=environment(), check=True)
    done = subprocess.run([sys.executable, "-m", "pipeline", "repro", "--jobs", "2",
                           "--track", "addition"], cwd=forked, env=not_activated(tmp_path),
                          text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert results(plain) == results(forked)
    assert {"models/addition-gru/weights.safetensors",
            "metrics/addition/addition-gru.json"} <= set(results(plain))
    versions = [read_json(folder / "costs/addition/addition-gru.train.json")["version"]
                for folder in (plain, forked)]
    assert versions[0] == versions[1]
    board = read_json(forked / "leaderboards/addition.json")
    assert f"addition: best exact_64 by {board['rows'][0]['system']}" in done.stdout
    assert "[  5/5] leaderboard@addition" in done.stdout


def test_a_track_is_planned_with_what_it_needs_and_without_the_report(root: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "pipeline", "repro", "--suite", "large",
                           "--dry-run", "--track", "forecast-daily"], cwd=root,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    names = [line.removeprefix("large/dvc.yaml:") for line in done.stdout.split()]
    suite = load(root / "large/params.yaml")
    systems = suite.systems_of("forecast-daily")
    assert sorted(names) == sorted([
        "validate", f"download@{suite.track('forecast-daily').corpus}", "features@forecast-daily",
        *(f"{stage}@{key}" for stage in ("train", "evaluate") for key in systems),
        "leaderboard@forecast-daily"])


def test_an_unknown_track_is_named_with_the_nearest(root: Path) -> None:
    with pytest.raises(UserError, match=r"tracks\.aditon.*addition"):
        repro.reproduce(root / "params.yaml", 1, dry_run=True, track="aditon")



def test_a_suite_without_its_stages_is_no_suite_that_is_up_to_date(
        root: Path, tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_bytes((root / "params.yaml").read_bytes())
    Repo.init(str(tmp_path), no_scm=True)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    suite = load(tmp_path / "params.yaml")
    with pytest.raises(UserError, match=r"dvc\.yaml does not exist, and says which stages"):
        repro.make_plan(suite)
    (tmp_path / "dvc.yaml").write_text("stages: {validate: {cmd: 'true'}}\n")
    assert repro.make_plan(suite).order() == ["validate"]
    with pytest.raises(UserError, match=r"dvc\.yaml has no stage leaderboard@addition; put a copy"):
        repro.make_plan(suite, "addition")


def test_no_jobs_is_refused(root: Path) -> None:
    found = subprocess.run([sys.executable, "-m", "pipeline", "repro", "--jobs", "0"],
                           cwd=root, capture_output=True, text=True)
    assert found.returncode == 2
    assert "--jobs 0: give 1 at least" in found.stderr
