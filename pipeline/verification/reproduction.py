"""Everything that `make verify` does inside its fresh clone.

The embedded suite is trained again from nothing and each score held against the committed one. Of
the real suite, whose training takes hours, committed predictions are scored again and the systems
without gradient training are run again, where the corpora are at hand. Pages and claims must follow
from committed files in every suite. What could not be checked is listed, never passed over.

A row of the embedded suite that other code or settings have made cannot come out again, so a commit
with such rows fails before anything is trained.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pipeline import processes
from pipeline.ending import run_command
from pipeline.errors import UserError
from pipeline.provenance.inputs import read_row_version, write_inputs
from pipeline.provenance.lock import Lock
from pipeline.results.boards import Board, Claim
from pipeline.results.claims import read_claims
from pipeline.results.leaderboard import build, read_result, under_floor
from pipeline.results.trainings import records_of, stated_version
from pipeline.running.trained import suite_option
from pipeline.scoring.records import Result
from pipeline.storage.files import read_json
from pipeline.suite.checks import load_valid
from pipeline.suite.schema import Suite
from pipeline.verification.another_seed import check_another_seed, compare_own_seed
from pipeline.verification.committed import check_committed
from pipeline.verification.comparison import (
    Findings,
    Scores,
    claim_differences,
    curve_differences,
    json_differences,
    unsettled,
)
from pipeline.verification.real_reproduction import check_real
from pipeline.verification.reproduced import (
    compare_bytes,
    compare_system,
    compare_track,
    scores_and_bounds,
    statistics_of,
)
from pipeline.verification.result_files import file_differences
from pipeline.verification.standings import Standing, compare_standings
from pipeline.verification.tolerances import made_here, tolerances
from pipeline.verification.verify import ROOT, head, is_fresh_clone


def check_embedded(suite: Suite, jobs: int, findings: Findings) -> None:
    """Train the embedded suite again and compare all that is committed."""
    check_committed(suite, findings)
    before = Outcomes.of(suite)
    forget_results(suite)
    command = [sys.executable, "-m", "pipeline", "repro", "--jobs", str(jobs)]
    if processes.run(command, cwd=suite.places.root).returncode != 0:
        raise UserError("the embedded suite could not be trained again in the clone; see above")
    after = Outcomes.of(suite)
    for track in suite.tracks:
        keys = suite.systems_of(track)
        compare_track(suite, track, tolerances(suite, track, statistics_of(suite, keys)),
                      before.scores(suite, keys), after.scores(suite, keys), findings)
        check_floor(suite, build(suite, track), findings)
        compare_standings(suite, track, before.standings[track], after.standings[track], findings)
        for key in keys:
            same = before.answered_as(after, suite, key)
            compare_bytes(suite, key, _recorded_here(suite, key), same, findings)
            compare_system(suite, key, before.results[key], after.results[key], same, findings)
            if same:
                compare_own_seed(suite, key, findings)
    compare_curves(suite, before, after, findings)
    compare_locks(suite, before.lock, after.lock, findings)
    same_rows = [row for key in suite.systems if before.answered_as(after, suite, key)
                 for row in suite.rows_of(key).values()]
    findings.note("verdicts", claim_differences(before.claims, after.claims, same_rows),
                  len(before.claims))
    findings.unchecked += unsettled(before.claims, after.claims)


def _recorded_here(suite: Suite, key: str) -> str | None:
    """This processor, where the suite's own training of a system is recorded to be of it."""
    first, *_ = suite.rows_of(key).values()
    record = records_of(suite, suite.track_of(key), first).get(suite.seed)
    return record["processor"] if record and made_here(suite, record) else None


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
    """Remove every committed result, so that none can stand in for one that was not reproduced.

    Trainings with further seeds stay: they are no output of any stage, and what is trained again
    is held against them.
    """
    places = suite.places
    places.lock.unlink(missing_ok=True)
    for folder in (places.all_metrics, places.all_costs, places.all_predictions):
        shutil.rmtree(folder, ignore_errors=True)
    for path in places.all_curves.glob("*/*.json"):  # what has no track is of no system
        path.unlink()
    shutil.rmtree(places.leaderboards, ignore_errors=True)


def stale_rows(suite: Suite) -> list[str]:
    """Systems that lack a metrics file, or whose one other code or settings have made."""
    write_inputs(suite)
    return list(_stale(suite))


def _stale(suite: Suite) -> Iterator[str]:
    for key in suite.systems:
        stated = stated_version(suite, key)
        if stated != read_row_version(suite.places, key):
            wrong = ("is not committed" if stated is None else
                     "was made by other code or settings than this commit's")
            path = suite.places.metrics(suite.track_of(key), key).relative_to(suite.places.root)
            yield (f"{path.as_posix()} {wrong}; run 'unrolled repro{suite_option(suite)}' and "
                   "commit what it writes")


def main() -> None:
    parser = argparse.ArgumentParser(description="Reproduce a fresh clone; used by make verify.")
    parser.add_argument("--jobs", type=int, required=True, help="stages side by side")
    parser.add_argument("--train", action=argparse.BooleanOptionalAction, default=True)
    arguments = parser.parse_args()
    if not is_fresh_clone(ROOT):
        raise UserError(f"{ROOT} is no fresh clone, and this command removes results; run "
                        "'make verify', which makes a clone")
    mirror = os.environ.get("UNROLLED_MIRROR")
    findings = Findings()
    try:
        if arguments.train:
            check_all(arguments.jobs, Path(mirror) if mirror else None, findings)
        else:
            check_files(findings)
    except UserError as error:  # what has been found so far is told with it
        findings.differences.append(str(error))
    findings.settle()
    print(f"\n{findings.text()}")
    raise SystemExit(1 if findings.differences else 0)


def check_files(findings: Findings) -> None:
    """Check what committed files say of each other in every suite, training nothing."""
    embedded = load_valid(ROOT / "params.yaml")
    check_versions(embedded, findings)
    check_committed(embedded, findings)
    if (real := _suite_in("real")) is not None:
        write_inputs(real)
        check_committed(real, findings)
    check_large(findings)


def check_versions(suite: Suite, findings: Findings) -> None:
    """Every row of a suite that CI trains is of the code and the settings of the commit."""
    findings.note("versions of rows", stale_rows(suite), len(suite.systems))


def check_large(findings: Findings) -> None:
    """What can be said of the suite that no machine of ours trains."""
    if (large := _suite_in("large")) is not None:
        findings.note("result folders", list(file_differences(large)))
        findings.unchecked.append("large: only its params.yaml was checked; it wants a GPU or days")


def check_all(jobs: int, mirror: Path | None, findings: Findings) -> None:
    """Check every suite of the clone.

    Raises UserError, before anything is trained, for rows of other code or settings.
    """
    embedded = load_valid(ROOT / "params.yaml")
    check_versions(embedded, findings)
    if findings.differences:
        raise UserError("nothing was trained: these rows could not come out as committed")
    check_embedded(embedded, jobs, findings)
    check_another_seed(embedded, head(ROOT), jobs, findings)
    if (real := _suite_in("real")) is not None:
        check_real(real, mirror, findings, jobs)
    check_large(findings)


def _suite_in(folder: str) -> Suite | None:
    """The suite of a folder of the clone; None where the project has none there."""
    params = ROOT / folder / "params.yaml"
    return load_valid(params) if params.exists() else None


if __name__ == "__main__":
    run_command(main)
