"""What metrics files, trainings with seeds and files of costs say of themselves and of each other.

Whatever params.yaml, dvc.lock or the statistics of test items decide in such a file must stand
there as they say; what was only measured once is listed.
"""

import math
import subprocess
from collections.abc import Iterator
from pathlib import Path

from pipeline.provenance.inputs import trained_version
from pipeline.provenance.lock import Lock
from pipeline.results.leaderboard import costs_of, metrics_of, read_result
from pipeline.results.trainings import records_of
from pipeline.scoring.digests import digest_of
from pipeline.scoring.records import Result, SeedRecord
from pipeline.scoring.scores import ItemStatistics
from pipeline.suite.schema import Suite
from pipeline.verification.comparison import Findings, json_differences

_NAMED = 5


def stated_differences(suite: Suite, key: str, result: Result) -> Iterator[str]:
    """Where a metrics file says of itself what params.yaml does not say."""
    track = suite.track_of(key)
    known = {"track": track, "task": suite.task_of(key), "system": key,
             "corpus": suite.track(track).corpus,
             "settings_tried": suite.settings_tried(key),
             "variants": sorted(suite.rows_of(key))}
    said = {**{name: result.get(name) for name in known}, "variants": sorted(result["variants"])}
    yield from json_differences(said, known, f"{track}/{key}.json")


def check_seeds(suite: Suite, keys: list[str], findings: Findings) -> None:
    """What is recorded of trainings with other seeds must be what their statistics say.

    The suite's own seed scores what the metrics file says.
    """
    if any(records_of(suite, suite.track_of(key), row) for key in keys
           for row in suite.rows_of(key).values()):
        findings.unchecked.append(f"{suite.name}: where trainings with seeds were done, how, and "
                                  "what weights they ended with, is as their records say")
    for key in keys:
        track, result = suite.track_of(key), read_result(suite, key)
        for variant, row in suite.rows_of(key).items():
            for seed, record in records_of(suite, track, row).items():
                place = suite.places.seed_record(track, key, variant, result["version"], seed)
                own = seed == suite.seed
                items = (suite.places.items(track, key, variant) if own else
                         suite.places.seed_items(track, key, variant, result["version"], seed))
                wanted = {name: score["value"] for name, score
                          in result["variants"][variant]["metrics"].items()} if own else None
                findings.note("trainings with seeds", [
                    f"{place.relative_to(suite.places.root).as_posix()}: {text}"
                    for text in _record_differences(suite, track, record, items, wanted)])


def _record_differences(suite: Suite, track: str, record: SeedRecord, items: Path,
                        scores: dict[str, float] | None) -> Iterator[str]:
    """`scores` are those that must stand there; None for those that the statistics give."""
    if items.exists():  # those of the own seed are committed with a suite that was run once
        found = ItemStatistics.read(items)
        if digest_of(found) != record["statistics"]:
            yield f"{items.name} is not what the record tells of"
        scores = scores or {name: value for name, metric in metrics_of(suite, track).items()
                            if math.isfinite(value := found.score(metric))}
    if scores is not None:
        yield from json_differences(record["scores"], scores, "scores")


def check_costs(suite: Suite, keys: list[str], lock: Lock, findings: Findings) -> None:
    """Of costs, which were measured once, whatever follows from something else."""
    commits: dict[str, list[str]] = {}
    bare = []
    for key in keys:
        costs = costs_of(suite, key)
        train = costs.get("train")
        version = trained_version(suite.places, key, lock)
        if train and version and train.get("version") != vars(version):
            findings.differences.append(f"{suite.suite}costs: {key}.train.json: its version is not "
                                        "that which dvc.lock says was trained")
        if train and train.get("commit"):
            commits.setdefault(str(train["commit"]), []).append(key)
        findings.differences += [
            f"{suite.suite}costs: {key}.{stage}.json: its seconds have more than two decimals"
            for stage, cost in costs.items() if round(cost["seconds"], 2) != cost["seconds"]]
        files = {stage: suite.places.cost(suite.track_of(key), key, stage) for stage in costs}
        bare += [key for stage, file in files.items()
                 if not lock.digest(f"{stage}@{key}", "outs", file)]
    findings.note("costs files", [], 2 * len(keys))
    findings.unchecked += [f"{suite.name}: commit {commit[:12]}, of which {_some(rows)} was run, "
                           "is not in this repository" for commit, rows in commits.items()
                           if not _is_commit(suite.places.root, commit)]
    if bare:
        findings.unchecked.append(f"{suite.name}: costs of {_some(bare)} were measured once; only "
                                  "what pages show of them was checked")


def _is_commit(root: Path, commit: str) -> bool:
    asked = subprocess.run(["git", "-C", str(root), "cat-file", "--batch-check"],
                           input=f"{commit}\n", capture_output=True, text=True)
    return asked.returncode == 0 and asked.stdout.split(" ")[1:2] == ["commit"]


def _some(names: list[str]) -> str:
    shown = ", ".join(dict.fromkeys(names[:_NAMED]))
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"
