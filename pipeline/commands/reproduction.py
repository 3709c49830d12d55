"""Everything that `make verify` does inside its fresh clone.

The embedded suite is trained again from nothing and each score held against the committed one. Of
the real suite, whose training takes hours, committed predictions are scored again and the systems
without gradient training are run again, where the corpora are at hand. Pages and claims must follow
from committed files in every suite. What could not be checked is listed, never passed over.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline import processes
from pipeline.commands.comparison import (
    Findings,
    claim_differences,
    json_differences,
    score_differences,
    unmeasured,
    unsettled,
)
from pipeline.commands.spread import Scores, scores_of, three_deviations
from pipeline.commands.verify import is_fresh_clone
from pipeline.ending import run_command
from pipeline.errors import UserError
from pipeline.provenance.inputs import write_inputs
from pipeline.results.boards import Board
from pipeline.results.claims import judge_all, read_spread
from pipeline.results.leaderboard import build, costs_of, read_result, render, under_floor
from pipeline.results.report import overview
from pipeline.scoring.records import Result
from pipeline.storage.files import read_json, read_text
from pipeline.suite.checks import load_valid
from pipeline.suite.schema import Suite

ROOT = Path(__file__).resolve().parents[2]


def check_pages(suite: Suite, findings: Findings) -> None:
    """Each committed leaderboard and the overview must follow from the committed metrics."""
    boards = []
    for track in suite.tracks:
        path = suite.places.board(track)
        if not path.exists():
            findings.unchecked.append(f"{suite.name}: track {track!r} has no committed leaderboard")
            continue
        boards.append(build(suite, track))
        differences = list(json_differences(read_json(path), boards[-1], f"{path.name}"))
        if read_text(suite.places.page(track)) != render(suite, boards[-1]):
            differences.append(f"{track}.md is not the page of its JSON"
                               f"{' and costs' if suite.evidence == 'run' else ''}")
        findings.note("leaderboards",
                      [f"{suite.suite}leaderboards: {text}" for text in differences])
    if len(boards) < len(suite.tracks):
        return
    claims = read_json(suite.places.claims)
    stale = read_text(suite.places.overview) != overview(suite, boards, claims)
    name = suite.places.overview.relative_to(suite.places.root).as_posix()
    findings.note("overviews", [f"{name} does not follow from the leaderboards and claims"]
                  if stale else [])


def tolerances(suite: Suite, spread: Mapping[str, Any], track: str) -> dict[str, float]:
    """How far each metric of a track may move: the primary as stated, the others as measured.

    A primary metric whose tolerance is not stated yet may move as measured, too.
    """
    entry = suite.track(track)
    rows = spread.get(track, {})
    measured = {name: three_deviations(rows, name)
                for values in rows.values() for name in values}
    known = {name: value for name, value in measured.items() if value is not None}
    return known if entry.tolerance is None else known | {entry.metric: entry.tolerance}


def compare_track(suite: Suite, spread: Mapping[str, Any], track: str, committed: Scores,
                  reproduced: Scores, findings: Findings) -> None:
    """Hold the reproduced scores of a track's rows against the committed ones."""
    allowed = tolerances(suite, spread, track)
    moved = unmeasured(committed, reproduced, allowed)
    findings.note(f"{suite.name} scores",
                  [f"{suite.name}, {track}, {text}"
                   for text in score_differences(committed, reproduced, allowed)],
                  sum(metric not in moved for row in committed.values() for metric in row))
    if moved:
        findings.unchecked.append(
            f"{suite.name}, {track}: {', '.join(moved)} came out otherwise than committed, and how "
            "far that may be was never measured ('make spread' does)")


def check_embedded(suite: Suite, jobs: int, findings: Findings) -> None:
    """Train the embedded suite again and compare every score, floor and claim."""
    check_pages(suite, findings)
    committed = _scores_by_track(suite)
    claims = read_json(suite.places.claims)
    forget_results(suite)
    command = [sys.executable, "-m", "pipeline", "repro", "--jobs", str(jobs)]
    if processes.run(command, cwd=suite.places.root).returncode != 0:
        raise UserError("the embedded suite could not be trained again in the clone; see above")
    reproduced = _scores_by_track(suite)
    spread = read_spread(suite)
    for track in suite.tracks:
        compare_track(suite, spread, track, committed[track], reproduced[track], findings)
        check_floor(suite, build(suite, track), findings)
    again = read_json(suite.places.claims)
    findings.note("claims", claim_differences(claims, again), len(claims))
    findings.unchecked += unsettled(claims, again)


def check_floor(suite: Suite, board: Board, findings: Findings) -> None:
    """A system under its track's floor fails verification."""
    floor = suite.track(board["track"]).floor
    findings.note("floors", [
        f"{suite.name}, {board['track']}, row {row['system']!r}: {board['metric']} "
        f"{row['value']:.6g} is under the floor {board['floor']:.6g}"
        for row in under_floor(suite, board)], len(floor.rows) if floor else 0)


def forget_results(suite: Suite) -> None:
    """Remove every committed result, so that none can stand in for one that was not reproduced."""
    places = suite.places
    places.lock.unlink(missing_ok=True)
    for folder in (places.all_metrics, places.all_costs, places.all_predictions):
        shutil.rmtree(folder, ignore_errors=True)
    for path in places.leaderboards.iterdir():
        if path != places.spread:
            path.unlink()


def _scores_by_track(suite: Suite) -> dict[str, Scores]:
    return {track: {row: scores for key in suite.systems_of(track)
                    for row, scores in scores_of(suite, key, read_result(suite, key)).items()}
            for track in suite.tracks}


def check_real(suite: Suite, mirror: Path | None, findings: Findings) -> None:
    """Check what follows from committed files; with the corpora, score and run again."""
    write_inputs(suite)
    check_pages(suite, findings)
    claims = suite.places.claims
    if claims.exists():
        differences = json_differences(read_json(claims), judge_all(suite), "claims.json")
        findings.note("claims", [f"{suite.suite}leaderboards: {text}" for text in differences],
                      len(suite.claims))
    spread = read_spread(suite)
    for track in suite.tracks:
        keys = [key for key in suite.systems_of(track) if _has_result(suite, key)]
        findings.unchecked += [f"{suite.name}, {track}: {key!r} has no committed result"
                               for key in suite.systems_of(track) if key not in keys]
        if keys and _features(suite, track, mirror, findings):
            _check_predictions(suite, keys, findings)
            _check_fast_systems(suite, track, keys, spread, findings)


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


def _check_fast_systems(suite: Suite, track: str, keys: list[str],
                        spread: Mapping[str, Any], findings: Findings) -> None:
    """Run the systems without gradient training again; say what the others would take."""
    committed: Scores = {}
    reproduced: Scores = {}
    for key in keys:
        if "training" in suite.systems[key]:
            findings.unchecked.append(
                f"{suite.name}, {track}: {key!r} was not trained again ({_took(suite, key)}); "
                f"'dvc repro --force {suite.address('train', key)}' does")
            continue
        print(f"{suite.name}: running {key} again", flush=True)
        committed |= scores_of(suite, key, read_result(suite, key))
        reproduced |= scores_of(suite, key, _run_again(suite, key))
    if committed:
        compare_track(suite, spread, track, committed, reproduced, findings)


def _took(suite: Suite, key: str) -> str:
    cost = costs_of(suite, key).get("train")
    return f"{cost['seconds']:,.0f} s on {cost['processor']}" if cost else "cost not recorded"


def _run_again(suite: Suite, key: str) -> Result:
    from pipeline.running.evaluation import evaluate_system
    from pipeline.running.fitting import train_system

    out = suite.places.again()
    train_system(suite.places, key, out)
    evaluate_system(suite.places, key, out)
    result: Result = read_json(out.metrics(suite.track_of(key), key))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description="Reproduce a fresh clone; used by make verify.")
    parser.add_argument("--jobs", type=int, required=True, help="stages side by side")
    jobs = parser.parse_args().jobs
    if not is_fresh_clone(ROOT):
        raise UserError(f"{ROOT} is no fresh clone, and this command removes results; run "
                        "'make verify', which makes a clone")
    mirror = os.environ.get("UNROLLED_MIRROR")
    findings = Findings()
    check_embedded(load_valid(ROOT / "params.yaml"), jobs, findings)
    if (ROOT / "real" / "params.yaml").exists():
        check_real(load_valid(ROOT / "real" / "params.yaml"),
                   Path(mirror) if mirror else None, findings)
    if (ROOT / "large" / "params.yaml").exists():
        load_valid(ROOT / "large" / "params.yaml")
        findings.unchecked.append("large: only its params.yaml was checked; it wants a GPU or days")
    print(f"\n{findings.text()}")
    raise SystemExit(1 if findings.differences else 0)


if __name__ == "__main__":
    run_command(main)
