"""Complete the tracking store from the files: `python -m pipeline.tracking.publish [params.yaml ...]`.

A stage that DVC restores from its cache executes nothing, and a clone that pulled its models has
never trained one, so live curves alone would leave the store empty. This command adds whatever
the store lacks, and nothing twice. It publishes a result only where dvc.lock vouches for it:
scores of an earlier training never appear beside the settings of a later one.

A run shows `test_<metric>` for every system of a track, so that any two can be compared; where a
system answers in several ways it is the first of its variants, and `<variant>/test_<metric>` has
all of them. Interval bounds, ceilings and costs have groups of their own.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from pipeline.errors import run_command
from pipeline.provenance.inputs import Version, params_hash, trained_params
from pipeline.provenance.lock import Lock
from pipeline.storage import predictions
from pipeline.storage.files import read_json
from pipeline.suite.schema import Suite, load
from pipeline.tracking.store import (
    TrackedRun,
    TrackingStore,
    store_errors,
    tracking_uri,
    version_run,
)

SAMPLES = 20


@dataclass(frozen=True)
class Outcome:
    """What publishing did: `added` values, params, tags and points, and what it could not."""

    added: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def publish(suite: Suite) -> Outcome:
    """Publish every system of the suite. Raises UserError when the store cannot be reached."""
    uri = tracking_uri(suite.places)
    store = TrackingStore(uri, suite.places)
    lock = Lock(suite.places)
    outcome = Outcome()
    with store_errors(uri):
        for key in tqdm(suite.systems, desc="publishing", unit="system", delay=2, leave=False):
            _System(suite, key, lock, outcome).publish(store)
    return outcome


class _System:
    """The files of one system, and what of them its run gets."""

    def __init__(self, suite: Suite, key: str, lock: Lock, outcome: Outcome) -> None:
        self.suite = suite
        self.places = suite.places
        self.key = key
        self.lock = lock
        self.outcome = outcome
        self.track = suite.track_of(key)
        self.trained = self.places.cost(self.track, key, "train")
        self.evaluated = self.places.cost(self.track, key, "evaluate")
        self.metrics = self.places.metrics(self.track, key)

    def publish(self, store: TrackingStore) -> None:
        if not self.lock.wrote(f"train@{self.key}", self.trained):
            return self._miss("nothing: it has not been trained, or not by 'dvc repro'")
        cost = read_json(self.trained)
        version = Version(**cost["version"])
        params = trained_params(self.suite, self.key)
        if version.params != params_hash(params):
            return self._miss("nothing: params.yaml has changed since it was trained")
        run = version_run(store, self.places, self.track, self.key, version)
        run.add_params(params)
        run.set_tags(self._origin(cost, version))
        run.set_scores(_costs("train", cost))
        self._add_curve(run)
        self._add_scores(run)
        run.finish()
        self.outcome.added[self.key] = run.added

    def _origin(self, cost: Mapping[str, Any], version: Version) -> dict[str, Any]:
        """Tags that tell where a run comes from, down to the model's key in the DVC cache."""
        stage = f"train@{self.key}"
        tags = {
            "unrolled.params": version.params,
            "unrolled.data": version.data,
            "unrolled.code": version.code,
            "mlflow.source.git.commit": cost["commit"],
            "processor": cost["processor"],
            "precision": cost["precision"],
            "dvc.stage": stage,
            "dvc.features": self.lock.digest(stage, "deps", self.places.fit(self.track)),
            "dvc.model": self.lock.digest(stage, "outs", self.places.model(self.key)),
        }
        return {name: value for name, value in tags.items() if value is not None}

    def _add_curve(self, run: TrackedRun) -> None:
        record = self.places.model(self.key) / "record.json"
        if record.exists():
            run.add_points(read_json(record)["curve"])
        else:
            self._miss("its learning curve: the model is not here ('dvc pull' brings it)")

    def _add_scores(self, run: TrackedRun) -> None:
        if not self._scores_are_of_this_model():
            return self._miss("its scores: the model has not been evaluated by 'dvc repro'")
        result = read_json(self.metrics)
        first, *_ = self.suite.rows_of(self.key)
        run.set_scores(_scores(result, first))
        if self.lock.wrote(f"evaluate@{self.key}", self.evaluated):
            run.set_scores(_costs("evaluate", read_json(self.evaluated)))
        run.set_tags({
            "corpus": result["corpus"],
            "settings_tried": result["settings_tried"],
            **{f"signature.{metric}": text
               for metric, text in result["variants"][first]["signature"].items()},
        })
        run.set_files(self._figures(), self._samples())

    def _scores_are_of_this_model(self) -> bool:
        stage, model = f"evaluate@{self.key}", self.places.model(self.key)
        return self.lock.wrote(stage, self.metrics) and (
            self.lock.digest(stage, "deps", model)
            == self.lock.digest(f"train@{self.key}", "outs", model))

    def _figures(self) -> dict[str, Path]:
        folder = self.places.figures(self.track, self.key)
        if not folder.is_dir():
            self._miss("its figures: they are not here ('dvc pull' brings them)")
        return {f"figures/{path.relative_to(folder).as_posix()}": path
                for path in sorted(folder.rglob("*")) if path.is_file()}

    def _samples(self) -> dict[str, str]:
        """The first predictions of each variant, readable."""
        folder = self.places.predictions(self.track, self.key)
        if not folder.is_dir():
            self._miss("sample predictions: they are not here")
        return {f"samples/{path.name.removesuffix('.jsonl.gz')}.json":
                json.dumps(predictions.read(path)[:SAMPLES], indent=1, ensure_ascii=False)
                for path in sorted(folder.glob("*.jsonl.gz"))}

    def _miss(self, what: str) -> None:
        self.outcome.missing.append(f"{self.suite.suite}{self.key}: {what}")


def _scores(result: Mapping[str, Any], first: str) -> dict[str, float]:
    """Final values of a run by name; `first` is the variant that stands for the system."""
    def named(variant: str, prefix: str) -> Iterator[tuple[str, float]]:
        row = result["variants"][variant]
        for metric, score in row["metrics"].items():
            yield f"{prefix}test_{metric}", score["value"]
            yield f"interval/{prefix}test_{metric}_low", score["low"]
            yield f"interval/{prefix}test_{metric}_high", score["high"]

    scores = dict(named(first, ""))
    for variant in result["variants"]:
        if variant:
            scores |= named(variant, f"{variant}/")
    ceiling = {f"ceiling/{metric}": value for metric, value in result["ceiling"].items()}
    return scores | ceiling | {"parameters": result["parameters"],
                               "test_items": result["variants"][first]["n_items"]}


def _costs(stage: str, cost: Mapping[str, Any]) -> dict[str, float]:
    return {f"cost/{stage}_{name}": cost[name] for name in ("seconds", "peak_memory_bytes")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("params", nargs="*", type=Path, default=[Path("params.yaml")],
                        help="a suite's params.yaml (default: the embedded suite's)")
    for path in parser.parse_args().params:
        suite = load(path)
        outcome = publish(suite)
        print(f"{path}: {len(outcome.added)} of {len(suite.systems)} systems are in the tracking "
              f"store, {sum(outcome.added.values())} entries were added")
        for problem in outcome.missing:
            print(f"  not published, {problem}")


if __name__ == "__main__":
    run_command(main)
