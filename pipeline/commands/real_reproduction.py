"""What a verification checks of a suite whose training takes hours.

Committed predictions are scored again and the systems without gradient training are run again,
where the corpora are at hand; what would take hours is listed.
"""

import subprocess
import sys
from pathlib import Path

from pipeline import processes
from pipeline.commands.committed import check_committed
from pipeline.commands.comparison import Findings
from pipeline.commands.reproduced import (
    compare_bytes,
    compare_system,
    compare_track,
    scores_and_bounds,
    statistics_of,
)
from pipeline.commands.tolerances import made_here, tolerances
from pipeline.provenance.inputs import write_inputs
from pipeline.results.leaderboard import build, costs_of, read_result
from pipeline.results.trainings import is_deterministic
from pipeline.scoring.records import Result
from pipeline.storage.shapes import read_shaped
from pipeline.suite.schema import Suite


def check_real(suite: Suite, mirror: Path | None, findings: Findings) -> None:
    """Check what follows from committed files; with the corpora, score and run again."""
    write_inputs(suite)
    check_committed(suite, findings)
    for track in suite.tracks:
        keys = [key for key in suite.systems_of(track) if _has_result(suite, key)]
        findings.unchecked += [f"{suite.name}, {track}: {key!r} has no committed result"
                               for key in suite.systems_of(track) if key not in keys]
        if keys and _features(suite, track, mirror, findings):
            _check_predictions(suite, keys, findings)
            _check_fast_systems(suite, track, keys, findings)
        else:
            _check_items(suite, keys, findings)
    if further := sum(len(list(suite.places.seeds(track).rglob("*.json")))
                      for track in suite.tracks):
        findings.unchecked.append(f"{suite.name}: {further} trainings in seeds/ were not done "
                                  "again; their scores are those of their statistics")


def _has_result(suite: Suite, key: str) -> bool:
    return suite.places.metrics(suite.track_of(key), key).exists()


def _features(suite: Suite, track: str, mirror: Path | None,
              findings: Findings) -> bool:
    """Make the features of a real track; False, with the reason noted, when that is impossible."""
    corpus = suite.track(track).corpus
    if mirror is None:
        findings.unchecked.append(
            f"{suite.name}, {track}: its predictions were not scored again, because corpus "
            f"{corpus!r} is not at hand (UNROLLED_MIRROR names no folder with copies)")
        return False
    print(f"{suite.name}, {track}: corpus and features", flush=True)
    if problem := _run_stage(suite, "download", corpus):
        findings.unchecked.append(f"{suite.name}, {track}: its predictions were not scored again, "
                                  f"because corpus {corpus!r} could not be had: {problem}")
        return False
    problem = _run_stage(suite, "features", track)
    findings.note("feature sets made", [f"{suite.name}, {track}: features failed: {problem}"]
                  if problem else [])
    return not problem


def _run_stage(suite: Suite, stage: str, key: str) -> str | None:
    """Run a stage's script; None, or why it failed."""
    command = [sys.executable, "-m", f"stages.{stage}", f"{suite.suite}params.yaml", key]
    done = processes.run(command, cwd=suite.places.root, stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, text=True)
    if done.returncode == 0:
        return None
    return " ".join(done.stderr.strip().splitlines()[-3:]) or f"exit code {done.returncode}"


def _check_predictions(suite: Suite, keys: list[str], findings: Findings) -> None:
    from pipeline.commands.rescore import rescore

    for key in keys:
        print(f"{suite.name}: scoring the committed predictions of {key}", flush=True)
        findings.note("prediction files scored again",
                      [f"{suite.name}, {text}" for text in rescore(suite, key)],
                      len(suite.rows_of(key)))


def _check_items(suite: Suite, keys: list[str], findings: Findings) -> None:
    """Without the corpus, scores must still be those of the committed statistics of items."""
    from pipeline.commands.rescore import item_scores

    for key in keys:
        findings.note("item statistics scored again",
                      [f"{suite.name}, {text}" for text in item_scores(suite, key)],
                      len(suite.rows_of(key)))


def _check_fast_systems(suite: Suite, track: str, keys: list[str], findings: Findings) -> None:
    """Run the systems without gradient training again; say what the others would take."""
    committed: dict[str, dict[str, float]] = {}
    reproduced: dict[str, dict[str, float]] = {}
    stale = {row["system"] for row in build(suite, track)["rows"] if row["evidence"].get("stale")}
    for key in keys:
        if not is_deterministic(suite, key):
            findings.unchecked.append(
                f"{suite.name}, {track}: {key!r} was not trained again ({_took(suite, key)}); "
                f"'dvc repro --force {suite.address('train', key)}' does")
            continue
        print(f"{suite.name}: running {key} again", flush=True)
        before, after = read_result(suite, key), _run_again(suite, key)
        # Whether the row is of the present version is what dvc.lock tells, and the page says.
        after["version"] = before["version"]
        committed |= scores_and_bounds(suite, key, before)
        reproduced |= scores_and_bounds(suite, key, after)
        is_stale = bool(stale.intersection(suite.rows_of(key).values()))
        same, named = _same_answers(suite, key), None if is_stale else _run_here(suite, key)
        compare_bytes(suite, key, named, same, findings)
        compare_system(suite, key, before, after, same, findings, is_stale)
    if committed:
        ran = [key for key in keys if is_deterministic(suite, key)]
        compare_track(suite, track, tolerances(suite, track, statistics_of(suite, ran)), committed,
                      reproduced, findings)


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

    out = suite.places.again()
    train_system(suite.places, key, out)
    evaluate_system(suite.places, key, out)
    return read_shaped(out.metrics(suite.track_of(key), key), Result)


def _same_answers(suite: Suite, key: str) -> bool:
    track, again = suite.track_of(key), suite.places.again()
    return all(suite.places.answers(track, key, variant).read_bytes()
               == again.answers(track, key, variant).read_bytes()
               for variant in suite.rows_of(key))
