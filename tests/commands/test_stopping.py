"""A run that is stopped at any moment in any way: no orphan, nothing half-written or lost."""

import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trials import trials
from tests.workflow.tiny_stages import KINDS, Run, done, ended, make_tiny, state, whole

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"),
                                reason="Linux alone tells the environments of all processes")

# Ends are waited for by condition; a run that needs as long as this hangs.
PATIENCE_SECONDS = 300.0
# A process of the run that is there for so long after its runner is an orphan.
ORPHANED_SECONDS = 2.0
CODES = {"Ctrl-C": 130, "closed terminal": 129, "terminated": 143, "killed": -9,
         "call killed": 2, "server killed": 2}


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], float]:
    """What an undisturbed run leaves, and how long it took."""
    project = make_tiny(tmp_path_factory.mktemp("whole"), trials(6, 24), 0.2)
    started = time.monotonic()
    run = Run(project)
    assert run.wait(PATIENCE_SECONDS) == 0, run.said()
    return state(project), time.monotonic() - started


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(trials(1, 3)))
def test_a_run_killed_at_any_instant_goes_on_to_the_same_bytes(
        seed: int, whole_run: tuple[dict[str, bytes], float], tmp_path: Path) -> None:
    expected, seconds = whole_run
    draw = random.Random(seed)
    project = make_tiny(tmp_path, trials(6, 24), 0.2)
    finished: Counter[str] = Counter()
    for number in range(trials(3, 20)):
        run = Run(project)
        time.sleep(draw.uniform(0, seconds * trials(6, 24) / (trials(6, 24) + 4 * number)))
        kind = draw.choice(sorted(KINDS))
        run.stop(kind)
        try:
            code = run.wait(PATIENCE_SECONDS)
            orphans = run.left_after(ORPHANED_SECONDS)
        finally:
            run.clean_up()
        trial = f"seed {seed}, stop {number} ({kind})"
        assert not orphans, (trial, orphans)
        assert "Traceback" not in run.said(), (trial, run.said())
        # A signal that comes before Python has begun ends it by itself; a shell calls both 143.
        assert code in (0, CODES.get(kind, code), 128 - CODES.get(kind, code)), (
            trial, code, run.said())
        assert whole(project), trial
        counts = Counter(done(project))
        assert all(counts[stage] == times for stage, times in finished.items()), trial
        finished |= Counter({stage: counts[stage] for stage in ended(project)})
    last = Run(project)
    assert last.wait(PATIENCE_SECONDS) == 0, last.said()
    assert state(project) == expected
    assert not last.left_after(ORPHANED_SECONDS)
    counts = Counter(done(project))
    assert all(counts[stage] == times for stage, times in finished.items())


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_stage_of_an_hour_ends_with_its_run(kind: str, tmp_path: Path) -> None:
    """Three at work: forked with workers of its own, forked, and in a shell."""
    run = Run(make_tiny(tmp_path, 2, 3600))
    try:
        _until(run, lambda: (tmp_path / "began-s00").exists() and (tmp_path / "began-s01").exists())
        run.stop(kind)
        code = run.wait(PATIENCE_SECONDS)
        assert not run.left_after(ORPHANED_SECONDS)
    finally:
        run.clean_up()
    assert code == CODES.get(kind, 2)
    assert not (tmp_path / "dvc.lock").exists()
    said = run.said()
    assert "Traceback" not in said
    words = {"Ctrl-C": "stopped: interrupted", "terminated": "stopped: terminated",
             "closed terminal": "stopped: the terminal was closed", "killed": ""}
    assert (said.strip() if kind in words else said.partition(" failed; ")[1]) == words.get(
        kind, " failed; ")


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
def test_a_stage_of_dvc_called_by_hand_ends_with_it(
        shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", shell)
    run = Run(make_tiny(tmp_path, 1, 3600), [sys.executable, "-m", "dvc", "repro"])
    try:
        _until(run, lambda: (tmp_path / "began-s00").exists())
        run.stop("killed")
        assert run.wait(PATIENCE_SECONDS) == -9
        assert not run.left_after(ORPHANED_SECONDS)
    finally:
        run.clean_up()


def _until(run: Run, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert run.process.poll() is None, run.said()
        assert time.monotonic() < deadline, run.said()
        time.sleep(0.05)
