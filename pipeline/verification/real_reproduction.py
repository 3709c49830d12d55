"""What a verification checks of a suite whose training takes hours.

Committed predictions are scored again and the systems without gradient training are run again,
where the corpora are at hand, side by side and the longest first; what would take hours is listed.
"""

import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pipeline import processes
from pipeline.provenance.inputs import write_inputs
from pipeline.results.leaderboard import build, costs_of, read_result
from pipeline.results.trainings import is_deterministic
from pipeline.scoring.records import Result
from pipeline.storage.shapes import read_shaped
from pipeline.suite.schema import Suite
from pipeline.verification.committed import check_committed
from pipeline.verification.comparison import Findings
from pipeline.verification.reproduced import (
    compare_bytes,
    compare_system,
    compare_track,
    scores_and_bounds,
    statistics_of,
)
from pipeline.verification.tolerances import made_here, tolerances
from pipeline.workers import workers


def check_real(suite: Suite, mirror: Path | None, findings: Findings, jobs: int = 1) -> None:
    """Check what follows from committed files; with the corpora, score and run again.

    `jobs` systems are scored or run side by side.
    """
    write_inputs(suite)
    check_committed(suite, findings)
    keys = {track: [key for key in suite.systems_of(track) if _has_result(suite, key)]
            for track in suite.tracks}
    findings.unchecked += [f"{suite.name}, {track}: {key!r} has no committed result"
                           for track in suite.tracks for key in suite.systems_of(track)
                           if key not in keys[track]]
    with workers(jobs, "spawn") if jobs > 1 else _AtOnce() as pool:
        made = _features(suite, [track for track in suite.tracks if keys[track]], mirror, pool,
                         findings)
        again = _Again.of(suite, keys, made, pool)
        for track in suite.tracks:
            kind = f"{'prediction files' if track in made else 'item statistics'} scored again"
            for key in keys[track]:
                findings.note(kind, [f"{suite.name}, {text}" for text in
                                     again.scored[key].result()], len(suite.rows_of(key)))
            if track in made:
                check_fast_systems(suite, track, keys[track], again.ran, findings)
    if further := sum(len(list(suite.places.seeds(track).rglob("*.json")))
                      for track in suite.tracks):
        findings.unchecked.append(f"{suite.name}: {further} trainings in seeds/ were not done "
                                  "again; their scores are those of their statistics")


class _AtOnce(Executor):
    """Does what it is given in this process, before anything else."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


@dataclass(frozen=True)
class _Again:
    """What workers give of systems: how their scores differ when they are computed again, and
    what those without gradient training reach now."""

    scored: Mapping[str, Future[list[str]]]
    ran: Mapping[str, Future[Result]]

    @classmethod
    def of(cls, suite: Suite, keys: Mapping[str, list[str]], made: list[str],
           pool: Executor) -> Self:
        """Let workers begin with what took longest when it was committed.

        Of tracks whose features are not `made`, scores are those of committed item statistics.
        """
        fast = sorted((key for track in made for key in keys[track]
                       if is_deterministic(suite, key)), key=lambda key: -_seconds(suite, key))
        ran = {key: pool.submit(_run_again, suite, key) for key in fast}
        return cls({key: pool.submit(_rescored if track in made else _rescored_items, suite, key)
                    for track in suite.tracks for key in keys[track]}, ran)


def _seconds(suite: Suite, key: str) -> float:
    return sum(cost["seconds"] for cost in costs_of(suite, key).values())


def _has_result(suite: Suite, key: str) -> bool:
    return suite.places.metrics(suite.track_of(key), key).exists()


def _features(suite: Suite, tracks: list[str], mirror: Path | None, pool: Executor,
              findings: Findings) -> list[str]:
    """Make the features of real tracks; those that have them, the reasons of the others noted."""
    if mirror is None:
        findings.unchecked += [
            f"{suite.name}, {track}: its predictions were not scored again, because corpus "
            f"{suite.track(track).corpus!r} is not at hand (UNROLLED_MIRROR names no folder with "
            "copies)" for track in tracks]
        return []
    print(f"{suite.name}: corpora and features of {', '.join(tracks)}", flush=True)
    corpora = dict.fromkeys(suite.track(track).corpus for track in tracks)
    fetched = _stages(suite, "download", corpora, pool)
    there = [track for track in tracks if fetched[suite.track(track).corpus] is None]
    made = _stages(suite, "features", there, pool)
    findings.unchecked += [
        f"{suite.name}, {track}: its predictions were not scored again, because corpus "
        f"{suite.track(track).corpus!r} could not be had: {fetched[suite.track(track).corpus]}"
        for track in tracks if track not in there]
    findings.note("feature sets made", [f"{suite.name}, {track}: features failed: {problem}"
                                        for track, problem in made.items() if problem], len(there))
    return [track for track in there if made[track] is None]


def _stages(suite: Suite, stage: str, keys: Iterable[str],
            pool: Executor) -> dict[str, str | None]:
    """Run a stage for each key; why those failed that did."""
    waiting = {key: pool.submit(_run_stage, suite, stage, key) for key in keys}
    return {key: done.result() for key, done in waiting.items()}


def _run_stage(suite: Suite, stage: str, key: str) -> str | None:
    """Run a stage's script; None, or why it failed."""
    command = [sys.executable, "-m", f"stages.{stage}", f"{suite.suite}params.yaml", key]
    done = processes.run(command, cwd=suite.places.root, stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, text=True)
    if done.returncode == 0:
        return None
    return " ".join(done.stderr.strip().splitlines()[-3:]) or f"exit code {done.returncode}"


def _rescored(suite: Suite, key: str) -> list[str]:
    from pipeline.verification.rescore import rescore

    print(f"{suite.name}: scoring the committed predictions of {key}", flush=True)
    return rescore(suite, key)


def _rescored_items(suite: Suite, key: str) -> list[str]:
    """Without the corpus, scores must still be those of the committed statistics of items."""
    from pipeline.verification.rescore import item_scores

    return item_scores(suite, key)


def check_fast_systems(suite: Suite, track: str, keys: list[str],
                       ran: Mapping[str, Future[Result]], findings: Findings) -> None:
    """Compare the systems without gradient training, which `ran`; say what others would take."""
    committed: dict[str, dict[str, float]] = {}
    reproduced: dict[str, dict[str, float]] = {}
    stale = {row["system"] for row in build(suite, track)["rows"] if row["evidence"].get("stale")}
    for key in keys:
        if not is_deterministic(suite, key):
            findings.unchecked.append(
                f"{suite.name}, {track}: {key!r} was not trained again ({_took(suite, key)}); "
                f"'dvc repro --force {suite.address('train', key)}' does")
            continue
        before, after = read_result(suite, key), ran[key].result()
        # Whether the row is of the present version is what dvc.lock tells, and the page says.
        after["version"] = before["version"]
        committed |= scores_and_bounds(suite, key, before)
        reproduced |= scores_and_bounds(suite, key, after)
        is_stale = bool(stale.intersection(suite.rows_of(key).values()))
        same, named = _same_answers(suite, key), None if is_stale else _run_here(suite, key)
        compare_bytes(suite, key, named, same, findings)
        compare_system(suite, key, before, after, same, findings, is_stale)
    if committed:
        fast = [key for key in keys if is_deterministic(suite, key)]
        compare_track(suite, track, tolerances(suite, track, statistics_of(suite, fast)),
                      committed, reproduced, findings)


def _run_here(suite: Suite, key: str) -> str | None:
    """This processor, where a system's costs say that it was trained on it."""
    cost = costs_of(suite, key).get("train")
    return cost["processor"] if cost and made_here(suite, cost) else None


def _took(suite: Suite, key: str) -> str:
    cost = costs_of(suite, key).get("train")
    return f"{cost['seconds']:,.0f} s on {cost['processor']}" if cost else "cost not recorded"


def _run_again(suite: Suite, key: str) -> Result:
    from pipeline.running.evaluation import evaluate_system
    from pipeline.running.fitting import train_system

    print(f"{suite.name}: running {key} again", flush=True)
    out = suite.places.again()
    train_system(suite.places, key, out)
    evaluate_system(suite.places, key, out)
    return read_shaped(out.metrics(suite.track_of(key), key), Result)


def _same_answers(suite: Suite, key: str) -> bool:
    track, again = suite.track_of(key), suite.places.again()
    return all(suite.places.answers(track, key, variant).read_bytes()
               == again.answers(track, key, variant).read_bytes()
               for variant in suite.rows_of(key))
