"""Train systems with further seeds: `unrolled spread`.

A bootstrap over test items cannot tell luck in training from merit, so what is said of a system
rests on several trainings of it. This command trains each neural row that a claim names with the
suite's seed and the next ones, by the same functions as the stages but outside DVC, and keeps the
statistics of every seed in `seeds/`, under the version of settings and code that it is of. Claims,
ranks and the tolerance of a reproduction read them there (`pipeline.results.trainings`). A killed
call loses nothing but the trainings that it was at, and these go on from their checkpoints.
"""

import os
import shutil
import statistics
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from pathlib import Path

from filelock import FileLock
from tqdm import tqdm

from pipeline.errors import UserError
from pipeline.provenance.inputs import read_row_version, write_inputs
from pipeline.provenance.lock import Lock
from pipeline.results.leaderboard import costs_of
from pipeline.results.trainings import is_deterministic, records_of, rows_named, stated_version
from pipeline.running.memory import HUGE_PAGES, keep_freed_memory
from pipeline.running.trained import key_of, suite_option
from pipeline.scoring.records import SeedRecord
from pipeline.storage.files import write_json
from pipeline.suite.schema import Suite
from pipeline.workers import workers
from pipeline.workflow.programs import OF_TRAININGS, require_git

# Of trainings, where the user's environment does not say otherwise; as in the stages.
_ENVIRONMENT = HUGE_PAGES | {"OMP_NUM_THREADS": "1"}
Task = tuple[str, int]


def measure_suite(params: Path, systems: Sequence[str], everything: bool, seeds: int,
                  jobs: int) -> None:
    """Train systems until each has `seeds` trainings of its present version, and say what came out.

    They are those named, all, or those that claims name. Raises UserError when the suite is not
    valid or has no such system, and at the end when a training has failed.
    """
    from pipeline.suite.checks import load_valid

    require_git(OF_TRAININGS)
    suite = load_valid(params)
    keys = chosen(suite, systems, everything)
    write_inputs(suite)
    keep_own_records(suite, keys)
    wanted = [(key, seed) for key in keys for seed in range(suite.seed + 1, suite.seed + seeds)]
    missing = [task for task in wanted if not is_kept(suite, *task)]
    print(f"{len(keys)} systems; of {len(wanted)} trainings with further seeds, {len(missing)} are "
          "to be done", flush=True)
    failures = train_all(suite, missing, jobs)
    print("\n".join(account(suite, keys)))
    if failures:
        raise UserError(f"{len(failures)} trainings failed and are to be done; {failures[0]}")


def chosen(suite: Suite, systems: Sequence[str], everything: bool) -> list[str]:
    """The systems to train, in the suite's order.

    Raises UserError for an unknown one, one that no seed changes, and where there is none.
    """
    if systems:
        named = {key_of(suite, name)[0] for name in systems}
        if still := [key for key in suite.systems if key in named and is_deterministic(suite, key)]:
            raise UserError(f"{', '.join(still)}: no gradient trains it, so it comes out the same "
                            "from every seed; name systems with 'training'")
    elif everything:
        named = set(suite.systems)
    else:
        named = {key_of(suite, row)[0] for claim in suite.claims for row in rows_named(claim)}
    found = [key for key in suite.systems if key in named and not is_deterministic(suite, key)]
    if not found:
        raise UserError("no claim of this suite names a system that is trained by gradient; name "
                        "systems, or give --all")
    return found


def keep_own_records(suite: Suite, keys: Sequence[str]) -> None:
    """Record the suite's own training of each system that lies here in its present version.

    A record of the same bytes stays: a clone that has pulled them does not know who made them.
    """
    from pipeline.running.seeds import records_in

    places = suite.places
    for key in keys:
        version, track = read_row_version(places, key), suite.track_of(key)
        if stated_version(suite, key) != version or not places.model(key).is_dir() \
                or not places.predictions(track, key).is_dir():
            continue
        for variant, (record, _) in records_in(places, track, key).items():
            earlier = records_of(suite, track, suite.rows_of(key)[variant]).get(suite.seed)
            if earlier is None or differing(earlier, record):
                write_json(places.seed_record(track, key, variant, version, suite.seed), record)


def differing(one: SeedRecord, other: SeedRecord) -> list[str]:
    """What of weights, answers and statistics of test items two trainings do not share."""
    same = {"weights": one["weights"] == other["weights"],
            "answers": one["answers"] == other["answers"],
            "statistics of test items": one["statistics"] == other["statistics"]}
    return [name for name, agrees in same.items() if not agrees]


def is_kept(suite: Suite, key: str, seed: int) -> bool:
    """Whether a training of the present version lies in `seeds/` with all of its rows."""
    version, track = read_row_version(suite.places, key), suite.track_of(key)
    return all(place(track, key, variant, version, seed).is_file()
               for variant in suite.rows_of(key)
               for place in (suite.places.seed_record, suite.places.seed_items))


def train_all(suite: Suite, tasks: Sequence[Task], jobs: int) -> list[str]:
    """Train systems with seeds in processes of their own, the longest first; what has failed."""
    os.environ.update({**_ENVIRONMENT, **os.environ})
    failures: list[str] = []
    with workers(jobs, "spawn") as pool:
        waiting = {pool.submit(train_one, suite, key, seed): (key, seed) for key, seed in
                   sorted(tasks, key=lambda task: -_seconds(suite, task[0]))}
        for done in tqdm(as_completed(waiting), desc="spread", unit="training", total=len(waiting),
                         file=sys.stderr):
            try:
                done.result()
            except UserError as error:  # the others are not less worth for it
                key, seed = waiting[done]
                failures.append(f"{key} with seed {seed}: {error}")
    return failures


def train_one(suite: Suite, key: str, seed: int) -> None:
    """Train a system with a seed, keep what it gives, and drop its checkpoints.

    Another call that is at the same training is waited for, and what it has kept is not trained
    again. Raises UserError when the features that lie here are not those of the present version.
    """
    from pipeline.running.seeds import keep_seed

    require_features(suite, suite.track_of(key))
    keep_freed_memory()
    with lock_of(suite, key, seed):
        if not is_kept(suite, key, seed):
            keep_seed(suite.places, suite.track_of(key), key, seed)
        shutil.rmtree(suite.places.seed_checkpoints(key, seed), ignore_errors=True)


def lock_of(suite: Suite, key: str, seed: int) -> FileLock:
    """What a call holds while it trains a system with a seed: two would share checkpoints."""
    checkpoints = suite.places.seed_checkpoints(key, seed).relative_to(suite.places.work)
    folder = suite.places.work / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / "-".join(checkpoints.parts))


def require_features(suite: Suite, track: str) -> None:
    """Raises UserError when a track's corpus or features were made by other code or settings."""
    lock, places = Lock(suite.places), suite.places
    for stage, key in (("download", suite.track(track).corpus), ("features", track)):
        if not lock.read(f"{stage}@{key}", places.input(stage, key)):
            raise UserError(f"what {stage}@{key} writes is not up to date; run 'unrolled repro"
                            f"{suite_option(suite)} --track {track}' first")


def account(suite: Suite, keys: Sequence[str]) -> Iterator[str]:
    """A line a row: how many trainings it has, and how its primary score moves between them."""
    for key in keys:
        track = suite.track_of(key)
        if stated_version(suite, key) != read_row_version(suite.places, key):
            yield (f"{key}: its row is of another version, or not there; 'unrolled repro"
                   f"{suite_option(suite)} --track {track}' makes it, and then its seeds count")
            continue
        for row in suite.rows_of(key).values():
            metric = suite.track(track).metric
            scores = [record["scores"][metric] for record in records_of(suite, track, row).values()
                      if metric in record["scores"]]
            moved = (f"{metric} {statistics.mean(scores):.6g}, standard deviation "
                     f"{statistics.stdev(scores):.3g}" if len(scores) > 1 else "nothing to compare")
            yield f"{row}: {len(scores)} trainings, {moved}"


def _seconds(suite: Suite, key: str) -> float:
    """What a training has cost, as far as it is known."""
    cost = costs_of(suite, key).get("train")
    return cost["seconds"] if cost else 0.0
