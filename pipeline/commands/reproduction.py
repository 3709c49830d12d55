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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pipeline import processes
from pipeline.commands.committed import check_committed, file_differences
from pipeline.commands.comparison import (
    BOUNDS,
    Findings,
    bounds_of,
    claim_differences,
    curve_differences,
    json_differences,
    result_differences,
    score_differences,
    unmeasured,
    unsettled,
)
from pipeline.commands.spread import Scores, scores_of, three_deviations
from pipeline.commands.standings import Standing, compare_standings
from pipeline.commands.verify import is_fresh_clone
from pipeline.ending import run_command
from pipeline.errors import UserError
from pipeline.provenance.inputs import write_inputs
from pipeline.provenance.lock import Lock
from pipeline.results.boards import Board, Claim
from pipeline.results.claims import read_claims, read_spread
from pipeline.results.leaderboard import build, costs_of, read_result, under_floor
from pipeline.scoring.records import Result
from pipeline.storage.files import read_json
from pipeline.storage.shapes import read_shaped
from pipeline.suite.checks import load_valid
from pipeline.suite.schema import Suite

ROOT = Path(__file__).resolve().parents[2]


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
    """Hold the reproduced scores of a track's rows, and their bounds, against the committed ones.
    """
    allowed = tolerances(suite, spread, track)
    allowed |= {f"{name}, {side} bound": value for name, value in allowed.items()
                for side in BOUNDS}
    moved = unmeasured(committed, reproduced, allowed)
    findings.note(f"{suite.name} scores and bounds",
                  [f"{suite.name}, {track}, {text}"
                   for text in score_differences(committed, reproduced, allowed)],
                  sum(metric not in moved for row in committed.values() for metric in row))
    if moved:
        findings.unchecked.append(
            f"{suite.name}, {track}: {', '.join(moved)} came out otherwise than committed, and how "
            "far that may be was never measured ('make spread' does)")


def compare_system(suite: Suite, key: str, committed: Result, reproduced: Result,
                   same_answers: bool, findings: Findings, stale: bool = False) -> None:
    """Hold a whole metrics file against the reproduced one.

    All of it is the same when the predictions are the same bytes, and what no machine computes
    otherwise is in any case, but for a `stale` row, which other code or settings have made.
    """
    differences = list(json_differences(committed, reproduced, key)) if same_answers \
        else result_differences(committed, reproduced)
    texts = [f"{suite.name}, {text}" for text in differences]
    if stale and not same_answers:
        findings.unchecked += [f"{text}; the row is stale, as its page says: other code or "
                               "settings have made it" for text in texts]
        texts = []
    findings.note("metrics files reproduced", texts)
    details = any("details" in answers for answers in committed["variants"].values())
    if details and not same_answers:
        findings.unchecked.append(f"{suite.name}: the details behind the scores of {key!r}: its "
                                  "predictions came out otherwise, and its scores were compared")


def check_embedded(suite: Suite, jobs: int, findings: Findings) -> None:
    """Train the embedded suite again and compare all that is committed."""
    check_committed(suite, findings)
    before = Outcomes.of(suite)
    forget_results(suite)
    command = [sys.executable, "-m", "pipeline", "repro", "--jobs", str(jobs)]
    if processes.run(command, cwd=suite.places.root).returncode != 0:
        raise UserError("the embedded suite could not be trained again in the clone; see above")
    after = Outcomes.of(suite)
    spread = read_spread(suite)
    for track in suite.tracks:
        keys = suite.systems_of(track)
        compare_track(suite, spread, track, before.scores(suite, keys), after.scores(suite, keys),
                      findings)
        check_floor(suite, build(suite, track), findings)
        compare_standings(suite, track, before.standings[track], after.standings[track], findings)
        for key in keys:
            compare_system(suite, key, before.results[key], after.results[key],
                           before.answered_as(after, suite, key), findings)
    compare_curves(suite, before, after, findings)
    compare_locks(suite, before.lock, after.lock, findings)
    findings.note("verdicts", claim_differences(before.claims, after.claims), len(before.claims))
    findings.unchecked += unsettled(before.claims, after.claims)


@dataclass(frozen=True)
class Outcomes:
    """What a suite has come to: metrics by system, curves by path, boards by track, and the rest.
    """

    results: dict[str, Result]
    curves: dict[str, Any]
    standings: dict[str, Standing]
    claims: list[Claim]
    lock: Lock

    @classmethod
    def of(cls, suite: Suite) -> Self:
        """As it lies there now."""
        folder = suite.places.all_curves
        return cls({key: read_result(suite, key) for key in suite.systems},
                   {path.relative_to(folder).as_posix(): read_json(path)
                    for path in sorted(folder.rglob("*.json"))},
                   {track: Standing.of(suite, track) for track in suite.tracks},
                   read_claims(suite), Lock(suite.places))

    def scores(self, suite: Suite, keys: Sequence[str]) -> Scores:
        """Every score and bound of systems' rows."""
        return {row: scores for key in keys
                for row, scores in scores_and_bounds(suite, key, self.results[key]).items()}

    def answered_as(self, other: Self, suite: Suite, key: str) -> bool:
        """Whether a system's predictions are the same bytes on both sides."""
        folder = suite.places.predictions(suite.track_of(key), key)
        digests = [lock.digest(f"evaluate@{key}", "outs", folder)
                   for lock in (self.lock, other.lock)]
        return digests[0] is not None and digests[0] == digests[1]


def scores_and_bounds(suite: Suite, key: str, result: Result) -> Scores:
    """Value and bounds of each metric of each row of a metrics file."""
    return {row: scores | bounds_of(result["variants"][variant]["metrics"])
            for (variant, row), scores in zip(suite.rows_of(key).items(),
                                              scores_of(suite, key, result).values(), strict=True)}


def compare_curves(suite: Suite, before: Outcomes, after: Outcomes, findings: Findings) -> None:
    """Hold learning curves against the reproduced ones.

    A model holds its curve, so where the model came out as the same bytes the curve has to.
    """
    findings.note("sets of curves", [
        f"{suite.suite}curves/{name} {'was not reproduced' if name in before.curves else 'lacks'}"
        for name in sorted(set(before.curves) ^ set(after.curves))])
    moved = []
    for name in sorted(set(before.curves) & set(after.curves)):
        old, new, place = before.curves[name], after.curves[name], f"{suite.suite}curves/{name}"
        exact = list(json_differences(old, new, place))
        key = name.rpartition("/")[2].removesuffix(".json")
        digests = {lock.digest(f"train@{key}", "outs", suite.places.model(key))
                   for lock in (before.lock, after.lock)}
        same_model = len(digests) == 1 and None not in digests
        findings.note("curves", exact if same_model or name == "none.json"
                      else list(curve_differences(old, new, place)))
        moved += [key] if exact and not same_model else []
    if moved:
        findings.unchecked.append(f"{suite.name}: losses along the curves of {', '.join(moved)}: "
                                  "their models came out otherwise than committed")


def compare_locks(suite: Suite, before: Lock, after: Lock, findings: Findings) -> None:
    """Stages and paths must be the same; contents that differ are named, not condemned.

    Another machine computes other bytes, and what they mean is compared as scores.
    """
    sides = [{(stage, kind, entry["path"]): dict(entry) for stage, kind, entry in lock.entries()}
             for lock in (before, after)]
    name = suite.places.lock.relative_to(suite.places.root).as_posix()
    findings.note("contents of dvc.lock", [
        f"{name}: {stage}: {path} stands among the {kind} of one side only"
        for stage, kind, path in sorted(sides[0].keys() ^ sides[1].keys())], len(sides[0]))
    moved = [f"{stage}: {path}" for stage, kind, path in sides[0].keys() & sides[1].keys()
             if any(json_differences(sides[0][stage, kind, path], sides[1][stage, kind, path], ""))]
    if moved:
        findings.unchecked.append(f"{name}: {len(moved)} contents came out as other bytes: "
                                  f"{'; '.join(sorted(moved))}")


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
    for path in places.all_curves.glob("*/*.json"):  # what has no track is of no system
        path.unlink()
    for path in places.leaderboards.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path != places.spread:
            path.unlink()


def check_real(suite: Suite, mirror: Path | None, findings: Findings) -> None:
    """Check what follows from committed files; with the corpora, score and run again."""
    write_inputs(suite)
    check_committed(suite, findings)
    spread = read_spread(suite)
    for track in suite.tracks:
        keys = [key for key in suite.systems_of(track) if _has_result(suite, key)]
        findings.unchecked += [f"{suite.name}, {track}: {key!r} has no committed result"
                               for key in suite.systems_of(track) if key not in keys]
        if keys and _features(suite, track, mirror, findings):
            _check_predictions(suite, keys, findings)
            _check_fast_systems(suite, track, keys, spread, findings)
        else:
            _check_items(suite, keys, findings)


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


def _check_fast_systems(suite: Suite, track: str, keys: list[str],
                        spread: Mapping[str, Any], findings: Findings) -> None:
    """Run the systems without gradient training again; say what the others would take."""
    committed: Scores = {}
    reproduced: Scores = {}
    stale = {row["system"] for row in build(suite, track)["rows"] if row["evidence"].get("stale")}
    for key in keys:
        if "training" in suite.systems[key]:
            findings.unchecked.append(
                f"{suite.name}, {track}: {key!r} was not trained again ({_took(suite, key)}); "
                f"'dvc repro --force {suite.address('train', key)}' does")
            continue
        print(f"{suite.name}: running {key} again", flush=True)
        before, after = read_result(suite, key), _run_again(suite, key)
        committed |= scores_and_bounds(suite, key, before)
        reproduced |= scores_and_bounds(suite, key, after)
        compare_system(suite, key, before, after, _same_answers(suite, key), findings,
                       stale=bool(stale.intersection(suite.rows_of(key).values())))
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
    return read_shaped(out.metrics(suite.track_of(key), key), Result)


def _same_answers(suite: Suite, key: str) -> bool:
    track, again = suite.track_of(key), suite.places.again()
    return all(suite.places.answers(track, key, variant).read_bytes()
               == again.answers(track, key, variant).read_bytes()
               for variant in suite.rows_of(key))


def main() -> None:
    parser = argparse.ArgumentParser(description="Reproduce a fresh clone; used by make verify.")
    parser.add_argument("--jobs", type=int, required=True, help="stages side by side")
    jobs = parser.parse_args().jobs
    if not is_fresh_clone(ROOT):
        raise UserError(f"{ROOT} is no fresh clone, and this command removes results; run "
                        "'make verify', which makes a clone")
    mirror = os.environ.get("UNROLLED_MIRROR")
    findings = Findings()
    try:
        check_all(jobs, Path(mirror) if mirror else None, findings)
    except UserError as error:  # what has been found so far is told with it
        findings.differences.append(str(error))
    print(f"\n{findings.text()}")
    raise SystemExit(1 if findings.differences else 0)


def check_all(jobs: int, mirror: Path | None, findings: Findings) -> None:
    """Check every suite of the clone."""
    check_embedded(load_valid(ROOT / "params.yaml"), jobs, findings)
    if (ROOT / "real" / "params.yaml").exists():
        check_real(load_valid(ROOT / "real" / "params.yaml"),
                   mirror, findings)
    if (ROOT / "large" / "params.yaml").exists():
        large = load_valid(ROOT / "large" / "params.yaml")
        findings.note("result folders", list(file_differences(large)))
        findings.unchecked.append("large: only its params.yaml was checked; it wants a GPU or days")


if __name__ == "__main__":
    run_command(main)
