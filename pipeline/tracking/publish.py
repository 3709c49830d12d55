"""Complete the tracking store from the files: `unrolled publish`.

A stage that DVC restores from its cache executes nothing, and a clone that pulled its models has
never trained one, so live curves alone would leave the store empty. This command adds whatever
the store lacks, and nothing twice. It publishes a result only where dvc.lock vouches for it:
scores of an earlier training never appear beside the settings of a later one. Costs are not in the
lock, since clock times differ from machine to machine: the version in their file says which
training they are of. A clone that pulled a model has none and takes the version from the lock.

A run shows `test_<metric>` for every system of a track, so that any two can be compared; where a
system answers in several ways it is the first of its variants, and `test_<metric>/<variant>` has
all of them. Beside each stand its interval's bounds, `.../low` and `.../high`, and the ceiling. A
row's trainings with further seeds, of `seeds/`, are runs of their own in the same experiment, named
by row and seed, with their scores; the tag `seed` tells all runs apart. What a system takes,
`usage/...`, comes after all scores in the alphabet, as MLflow sorts.

The winner of each track is registered as a model (`pipeline.tracking.champions`), where it is here.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tqdm import tqdm
from typing_extensions import TypedDict

from pipeline.provenance.inputs import (
    Version,
    params_hash,
    trained_params,
    trained_version,
    with_seed,
    write_inputs,
)
from pipeline.provenance.lock import Lock
from pipeline.results.boards import BOUNDS
from pipeline.results.trainings import records_of, stated_version
from pipeline.scoring.records import Cost, Measures, Result
from pipeline.storage import predictions
from pipeline.storage.shapes import read_shaped
from pipeline.suite.schema import Suite
from pipeline.tracking.addresses import store_errors, tracking_uri
from pipeline.tracking.champions import register
from pipeline.tracking.store import (
    NOTE_TAG,
    TrackedRun,
    TrackingStore,
    experiment_name,
    version_run,
)
from pipeline.tracking.views import description, run_description, state

SAMPLES = 20
# More systems than these are counted, not named.
NAMED = 3
_VERSION = {one.name for one in fields(Version)}
_FIGURES = "figures"  # folder of artifacts
_RECORDED: tuple[Literal["processor", "precision", "torch", "converged"], ...] = (
    "processor", "precision", "torch", "converged")
_AGAIN = "take the committed file back, or run its system again"


class Gap(NamedTuple):
    """What could not be published of a system, whose name has its suite's folder before it."""

    system: str
    what: str


@dataclass(frozen=True)
class Outcome:
    """What publishing did: `added` values, params, tags and points, and what it could not.

    `experiments` has the store's id of each track with a run, `champions` of each track why its
    winner is not in the model registry, or None where it is.
    """

    added: dict[str, int] = field(default_factory=dict)
    missing: list[Gap] = field(default_factory=list)
    experiments: dict[str, str] = field(default_factory=dict)
    champions: dict[str, str | None] = field(default_factory=dict)

    def by_gap(self) -> dict[str, list[str]]:
        """What could not be published, and of which systems."""
        found: dict[str, list[str]] = {}
        for system, what in self.missing:
            found.setdefault(what, []).append(system)
        return found


def publish(suite: Suite, track: str | None = None) -> Outcome:
    """Publish every system of the suite, or of one track.

    Raises UserError when the store cannot be reached.
    """
    if not suite.places.inputs.exists() and not suite.places.all_costs.exists():
        write_inputs(suite)  # a clone that has run nothing finds versions by them
    uri = tracking_uri(suite.places)
    store = TrackingStore(uri, suite.places)
    lock = Lock(suite.places)
    outcome = Outcome()
    tracks = [track] if track else list(suite.tracks)
    keys = [key for name in tracks for key in suite.systems_of(name)]
    scored: dict[str, TrackedRun] = {}
    with store_errors(uri):
        for key in tqdm(keys, desc="publishing", unit="system", delay=2, leave=False):
            if run := _System(suite, key, lock, outcome).publish(store):
                scored[key] = run
        for name in tracks:
            if any(key in outcome.added for key in suite.systems_of(name)):
                outcome.experiments[name] = store.describe(
                    experiment_name(suite.places, name), description(suite, name),
                    json.dumps(state(suite, name)))
                outcome.champions[name] = register(store, suite, name, lock, scored)
    return outcome


def account(suite: Suite, outcome: Outcome) -> Iterator[str]:
    """What publishing did, for people: a line, and one for each kind of gap."""
    yield (f"{len(outcome.added)} of {len(suite.systems)} systems are in the tracking store, "
           f"{sum(outcome.added.values())} entries were added")
    yield from winners(outcome)
    for what, keys in outcome.by_gap().items():
        yield f"  not published of {_several(keys)}: {what}"


def winners(outcome: Outcome) -> Iterator[str]:
    """A line with how many tracks' winners are in the model registry, and why others are not."""
    if not outcome.champions:
        return
    missing: dict[str, list[str]] = {}
    for track, reason in outcome.champions.items():
        if reason:
            missing.setdefault(reason, []).append(track)
    registered = sum(reason is None for reason in outcome.champions.values())
    why = "".join(f"; not of {_several(tracks, 'tracks')}: {reason}"
                  for reason, tracks in missing.items())
    yield (f"the first rows of {registered} of {len(outcome.champions)} boards are registered as "
           f"models{why}")


def _several(keys: list[str], kind: str = "systems") -> str:
    return ", ".join(keys) if len(keys) <= NAMED else f"{len(keys)} {kind}"


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

    def publish(self, store: TrackingStore) -> TrackedRun | None:
        """The system's run, where its scores are published."""
        if not self.lock.digest(f"train@{self.key}", "outs", self.places.model(self.key)):
            self._miss("nothing: it has not been trained, or not by 'dvc repro'")
            return None
        cost = read_shaped(self.trained, Cost, _AGAIN) if self.trained.exists() else None
        # What dvc.lock says goes before what a file of costs says, which nothing vouches for.
        version = trained_version(self.places, self.key, self.lock) or _version_of(cost)
        if version is None:
            self._miss("nothing: it was trained by other code or settings, on a machine whose "
                       "costs are not here")
            return None
        params = trained_params(self.suite, self.key)
        if version.params != params_hash(params):
            self._miss("nothing: params.yaml has changed since it was trained")
            return None
        run = version_run(store, self.places, self.track, self.key, version)
        run.add_params(params)
        run.set_tags(self._origin(cost or {}, version))
        # Scores first: MLflow lists a run's metrics, and chooses one to compare by, in this order.
        scored = self._add_scores(run)
        self._add_curve(run)
        if cost:
            run.set_scores(_costs("train", cost))
        run.finish()
        self.outcome.added[self.key] = run.added
        if not scored:
            return None
        self._publish_seeds(store, params)
        return run

    def _publish_seeds(self, store: TrackingStore, params: Mapping[str, Any]) -> None:
        """A run for each further seed of each row of the version that the scores are of."""
        version = stated_version(self.suite, self.key)
        experiment = experiment_name(self.places, self.track)
        for row in self.suite.rows_of(self.key).values():
            for seed, record in records_of(self.suite, self.track, row).items():
                if seed == self.suite.seed:
                    continue
                run = store.run(experiment, f"{row} seed {seed}", f"{version}/{row}/{seed}")
                run.add_params(with_seed(params, seed))
                run.set_scores({f"test_{name}": value for name, value in record["scores"].items()})
                run.set_tags({"seed": seed} | {
                    name: record[name] for name in _RECORDED if record[name] is not None})
                run.finish()
                self.outcome.added[self.key] += run.added

    def _origin(self, cost: Mapping[str, Any], version: Version) -> dict[str, Any]:
        """Tags that tell where a run comes from, down to the model's key in the DVC cache."""
        stage = f"train@{self.key}"
        tags = {
            "unrolled.params": version.params,
            "unrolled.data": version.data,
            "unrolled.code": version.code,
            "seed": self.suite.seed,
            "mlflow.source.git.commit": cost.get("commit"),
            "processor": cost.get("processor"),
            "precision": cost.get("precision"),
            "dvc.stage": stage,
            "dvc.features": self.lock.digest(stage, "deps", self.places.fit(self.track)),
            "dvc.model": self.lock.digest(stage, "outs", self.places.model(self.key)),
        }
        return {name: value for name, value in tags.items() if value is not None}

    def _add_curve(self, run: TrackedRun) -> None:
        record = self.places.model(self.key) / "record.json"
        if record.exists():
            run.add_points(read_shaped(record, _Record, _AGAIN)["curve"])
        else:
            self._miss("its learning curve: the model is not here ('dvc pull' brings it)")

    def _add_scores(self, run: TrackedRun) -> bool:
        """Publish what belongs to the scores; whether they are of this model."""
        if not self._scores_are_of_this_model():
            self._miss("its scores: the model has not been evaluated by 'dvc repro'")
            return False
        result = read_shaped(self.metrics, Result, _AGAIN)
        first, *_ = self.suite.rows_of(self.key)
        run.set_scores(_scores(result, first))
        if self.evaluated.exists():
            run.set_scores(_costs("evaluate", read_shaped(self.evaluated, Cost, _AGAIN)))
        run.set_tags({
            "corpus": result["corpus"],
            "settings_tried": result["settings_tried"],
            **{f"signature.{metric}": text
               for metric, text in result["variants"][first]["signature"].items()},
        })
        figures, samples = self._figures(), self._samples()
        run.set_files(figures, samples)
        score = result["variants"][first]["metrics"].get(self.suite.tracks[self.track].metric)
        if score:  # none where params.yaml names another metric since
            run.set_tags({NOTE_TAG: run_description(
                self.suite, self.track, self.suite.rows_of(self.key)[first], score, run,
                [*figures, *samples])})
        return True

    def _scores_are_of_this_model(self) -> bool:
        stage, model = f"evaluate@{self.key}", self.places.model(self.key)
        return self.lock.wrote(stage, self.metrics) and (
            self.lock.digest(stage, "deps", model)
            == self.lock.digest(f"train@{self.key}", "outs", model))

    def _figures(self) -> dict[str, Path]:
        folder = self.places.figures(self.track, self.key)
        if not folder.is_dir():
            self._miss("its figures: they are not here ('dvc pull' brings them)")
        return {f"{_FIGURES}/{path.relative_to(folder).as_posix()}": path
                for path in sorted(folder.rglob("*")) if path.is_file()}

    def _samples(self) -> dict[str, str]:
        """The first predictions of each variant, readable."""
        folder = self.places.predictions(self.track, self.key)
        if not folder.is_dir():
            self._miss("sample predictions: they are not here")
        found = sorted(self.places.answers(self.track, self.key, variant)
                       for variant in self.suite.rows_of(self.key))
        return {f"samples/{path.stem}.json":
                json.dumps(predictions.read(path)[:SAMPLES], indent=1, ensure_ascii=False)
                for path in found if path.exists()}

    def _miss(self, what: str) -> None:
        self.outcome.missing.append(Gap(f"{self.suite.suite}{self.key}", what))


class _Record(TypedDict):
    """What publishing reads of a model's record."""

    curve: list[dict[str, float]]


def _version_of(cost: Cost | None) -> Version | None:
    """The version that a file of costs tells; None where it tells none."""
    version = cost.get("version") if cost else None
    return Version(**version) if version and version.keys() == _VERSION else None


def _scores(result: Result, first: str) -> dict[str, float]:
    """Final values of a run by name; `first` is the variant that stands for the system."""
    def named(variant: str, suffix: str) -> Iterator[tuple[str, float]]:
        row = result["variants"][variant]
        for metric, score in row["metrics"].items():
            yield f"test_{metric}{suffix}", score["value"]
            yield from ((f"test_{metric}{suffix}/{side}", bound) for side in BOUNDS
                        if (bound := score[side]) is not None)

    scores = dict(named(first, ""))
    for variant in result["variants"]:
        if variant:
            scores |= named(variant, f"/{variant}")
    ceiling = {f"test_{metric}/ceiling": value for metric, value in result["ceiling"].items()}
    return scores | ceiling | {"usage/parameters": result["parameters"],
                               "usage/test_items": result["variants"][first]["n_items"]}


def _costs(stage: str, cost: Measures) -> dict[str, float]:
    return {f"usage/{stage}_{name}": cost[name] for name in ("seconds", "peak_memory_bytes")}
