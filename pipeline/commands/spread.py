"""How far scores move between training seeds: `unrolled spread`.

A bootstrap over test items cannot tell luck in training from merit. This command trains every
system with further seeds, by the same functions as the stages but outside DVC, and writes
leaderboards/spread.json: {track: {row: {metric: [score of each seed]}}}, the suite's own seed
first. Claims use it, and a track's tolerance for reproduction is three standard deviations of it.
Each system and seed leaves a file in work/spread, so a killed command goes on where it was.
"""

import hashlib
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from pathlib import Path
from typing import Any

from tqdm import tqdm

from pipeline.provenance.inputs import version_of, write_inputs
from pipeline.results.claims import read_spread
from pipeline.results.leaderboard import read_result
from pipeline.running.trained import key_of
from pipeline.scoring.records import Result
from pipeline.storage.files import write_json
from pipeline.storage.shapes import read_shaped
from pipeline.suite.schema import Suite
from pipeline.workers import workers

Scores = dict[str, dict[str, float]]


def scores_of(suite: Suite, key: str, result: Result) -> Scores:
    """Value of each metric of each row of a metrics file."""
    return {row: {name: score["value"]
                  for name, score in result["variants"][variant]["metrics"].items()}
            for variant, row in suite.rows_of(key).items()}


def measure(suite: Suite, key: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Values over `seeds` of each metric of each row; the suite's own seed is not trained again."""
    by_seed = [scores_of(suite, key, read_result(suite, key)) if seed == suite.seed
               else _scores_with(suite, key, seed) for seed in seeds]
    return {row: {name: [scores[row][name] for scores in by_seed] for name in by_seed[0][row]}
            for row in by_seed[0]}


def measure_all(suite: Suite, path: Path, keys: Sequence[str], seeds: Sequence[int],
                jobs: int) -> None:
    """Measure systems in processes of their own; each goes into the file `path` when it is done."""
    with workers(jobs, "spawn") as pool:
        waiting = {pool.submit(measure, suite, key, seeds): key for key in keys}
        for done in tqdm(as_completed(waiting), desc="spread", unit="system", total=len(waiting),
                         file=sys.stderr):
            measured = {suite.track_of(waiting[done]): done.result()}
            write_json(path, merged(suite, read_spread(suite), measured))


def merged(suite: Suite, earlier: Mapping[str, Any],
           measured: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Earlier measurements with new ones over them, without rows that params.yaml has no more."""
    rows = {track: [row for key in suite.systems_of(track) for row in suite.rows_of(key).values()]
            for track in suite.tracks}
    both = {track: {**earlier.get(track, {}), **measured.get(track, {})} for track in rows}
    kept = {track: {row: both[track][row] for row in rows[track] if row in both[track]}
            for track in rows}
    return {track: found for track, found in kept.items() if found}


def three_deviations(rows: Mapping[str, Mapping[str, Sequence[float]]],
                     metric: str) -> float | None:
    """Three sample standard deviations of a metric over seeds, of the row that moves most."""
    deviations = [statistics.stdev(values[metric]) for values in rows.values()
                  if len(values.get(metric, ())) > 1]
    return 3 * max(deviations) if deviations else None


def _scores_with(suite: Suite, key: str, seed: int) -> Scores:
    variants = json.dumps(suite.systems[key].get("variants"), sort_keys=True)
    version = f"{version_of(suite.places, key, seed).hash} {variants}"
    name = hashlib.sha256(version.encode("utf-8")).hexdigest()[:16]
    record = suite.places.spread_record(f"{key}-{seed}-{name}")
    if not record.exists():
        write_json(record, _train_and_score(suite, key, seed))
    return read_shaped(record, dict[str, dict[str, float]], "remove it and run 'make spread'")


def _train_and_score(suite: Suite, key: str, seed: int) -> Scores:
    from pipeline.running.evaluation import evaluate_system
    from pipeline.running.fitting import train_system

    with tempfile.TemporaryDirectory(prefix="spread-") as folder:
        out = suite.places.below(Path(folder))
        train_system(suite.places, key, out, seed)
        evaluate_system(suite.places, key, out)
        result = read_shaped(out.metrics(suite.track_of(key), key), Result)
    return scores_of(suite, key, result)


def proposals(suite: Suite, spread: Mapping[str, Any]) -> Iterator[str]:
    """What the measurement says about each track's tolerance in params.yaml."""
    for key, track in suite.tracks.items():
        measured = three_deviations(spread.get(key, {}), track.metric)
        stated = "not stated" if track.tolerance is None else f"{track.tolerance:g}"
        if measured is None:
            yield f"tracks.{key}.tolerance: not measured, stays {stated}"
        else:
            yield (f"tracks.{key}.tolerance: {measured:.3g}  ({track.metric}; now "
                   f"{stated})")


def measure_suite(params: Path, systems: Sequence[str], seeds: int, jobs: int) -> None:
    """Measure `systems`, or all, with `seeds` trainings each, and print what it says of tolerances.

    Raises UserError when the suite is not valid or has no such system.
    """
    from pipeline.suite.checks import load_valid

    suite = load_valid(params)
    keys = [key_of(suite, name)[0] for name in systems] or list(suite.systems)
    write_inputs(suite)
    path = suite.places.spread
    measure_all(suite, path, keys, range(suite.seed, suite.seed + seeds), jobs)
    print(f"{path} is written; tolerances to put into {params}, three standard deviations over "
          f"{seeds} seeds:")
    for line in proposals(suite, read_spread(suite)):
        print(f"  {line}")
