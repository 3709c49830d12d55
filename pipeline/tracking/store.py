"""Runs in the tracking store: how one is found, what it lacks, and a curve that grows as it comes.

Every write is idempotent, whatever was killed or repeated before it: a run is found by a tag that
holds the system's version and never by its name, a curve gets only the steps that it lacks, params
are those that the version hashes and so never change, and a score is written when it differs. The
store is an observer: when it cannot be reached, training goes on and `pipeline.tracking.publish`
adds later what is missing.

MLflow's "Compare" sorts metrics by name. Scores are called `test_<metric>`, so curves are
`training/...` and what a system takes `usage/...`: both stand after them.

MLflow is imported when a store is opened, since it costs a second that most stages do not need.
"""

import hashlib
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from pipeline.errors import UserError
from pipeline.provenance.inputs import Version, read_settings, version_of
from pipeline.storage.files import sha256
from pipeline.suite.places import Places
from pipeline.tracking.addresses import is_server, require_reachable, store_errors, tracking_uri

VERSION_TAG = "unrolled.version"
_FILES_TAG = "unrolled.files"
# MLflow shows this tag as the description of an experiment or a run.
NOTE_TAG = "mlflow.note.content"
# A table of runs with chosen columns and order, which an address names; MLflow keeps it in a tag.
_VIEW_TAG = "mlflow.sharedViewState."
SCORES_VIEW = "scores"
_CURVE = "training/"
# MLflow's own limits for one request.
_BATCH_METRICS = 1000
_BATCH_PARAMS = 100
# A training of an hour does not wait minutes for a server that does not answer; what the user
# sets in the environment goes first. Nothing is sent to anybody but the store.
CALM = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
        "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "WARNING",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}


class TrackedRun:
    """One run of the store. `added` counts what this object wrote."""

    def __init__(self, client: Any, run: Any) -> None:
        self.id: str = run.info.run_id
        self.version: str = run.data.tags.get(VERSION_TAG, "")
        self.experiment: str = run.info.experiment_id
        self.artifacts: str = run.info.artifact_uri
        self.added = 0
        self._client = client
        self._status = run.info.status
        self._params = dict(run.data.params)
        self._tags = dict(run.data.tags)
        self._latest = dict(run.data.metrics)
        self._steps: dict[str, set[int]] = {}

    def add_params(self, params: Mapping[str, Any]) -> None:
        """Add the params that the run lacks; nested ones get names with dots."""
        from mlflow.entities import Param

        missing = [Param(name, str(value)) for name, value in flat(params).items()
                   if name not in self._params]
        for start in range(0, len(missing), _BATCH_PARAMS):
            self._client.log_batch(self.id, params=missing[start : start + _BATCH_PARAMS])
        self._params.update((param.key, param.value) for param in missing)
        self.added += len(missing)

    def add_points(self, curve: Sequence[Mapping[str, float]]) -> None:
        """Add the points of a learning curve, each with its `step`, that the run lacks."""
        missing = []
        for point in curve:
            step = int(point["step"])
            for quantity, value in point.items():
                name = f"{_CURVE}{quantity}"
                if quantity != "step" and step not in self._known_steps(name):
                    missing.append((name, float(value), step))
        self._log(missing)
        for name, _, step in missing:
            self._steps[name].add(step)

    def set_scores(self, scores: Mapping[str, float]) -> None:
        """Write final values, those that the run already shows excepted."""
        changed = {name: float(value) for name, value in scores.items()
                   if self._latest.get(name) != value}
        self._log([(name, value, 0) for name, value in changed.items()])
        self._latest.update(changed)

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Write tags, those that the run already has excepted."""
        for name, value in tags.items():
            if self._tags.get(name) != str(value):
                self._client.set_tag(self.id, name, str(value))
                self._tags[name] = str(value)
                self.added += 1

    def set_files(self, files: Mapping[str, Path], texts: Mapping[str, str]) -> None:
        """Make files and texts artifacts, under their names; nothing when all are there."""
        contents = {name: sha256(path) for name, path in files.items()} | dict(texts)
        state = hashlib.sha256(repr(sorted(contents.items())).encode()).hexdigest()[:16]
        if self._tags.get(_FILES_TAG) == state:
            return
        for name, path in files.items():
            self._client.log_artifact(self.id, str(path), name.rpartition("/")[0] or None)
        for name, text in texts.items():
            self._client.log_text(self.id, text, name)
        self.set_tags({_FILES_TAG: state})

    def finish(self) -> None:
        """Mark the run as finished."""
        if self._status != "FINISHED":
            self._client.set_terminated(self.id)
            self._status = "FINISHED"

    def _known_steps(self, name: str) -> set[int]:
        if name not in self._steps:
            self._steps[name] = (
                {metric.step for metric in self._client.get_metric_history(self.id, name)}
                if name in self._latest else set())
        return self._steps[name]

    def _log(self, values: list[tuple[str, float, int]]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, step) for name, value, step in values]
        for start in range(0, len(metrics), _BATCH_METRICS):
            self._client.log_batch(self.id, metrics=metrics[start : start + _BATCH_METRICS])
        self.added += len(metrics)


class TrackingStore:
    """An MLflow tracking store: SQLite file, other database, or server."""

    def __init__(self, uri: str, places: Places) -> None:
        """Open the store, and create it when it is a database that is empty.

        Raises UserError when it cannot be reached.
        """
        self.uri = uri
        self.places = places
        for name, value in CALM.items():
            os.environ.setdefault(name, value)
        with store_errors(uri), self.locked():
            require_reachable(uri)
            from mlflow.tracking import MlflowClient

            # Models are registered where their runs are.
            self.client = MlflowClient(tracking_uri=uri, registry_uri=uri)
            # Two processes that create a database's tables at once collide: the lock is for this.
            self.client.search_experiments(max_results=1)

    def run(self, experiment: str, name: str, version: str) -> TrackedRun:
        """The run of this version, created if the experiment has none."""
        with store_errors(self.uri), self.locked():
            identity = self._experiment(experiment)
            found = self.client.search_runs([identity], f"tags.`{VERSION_TAG}` = '{version}'",
                                             order_by=["attributes.start_time ASC"], max_results=1)
            run = found[0] if found else self.client.create_run(
                identity, run_name=name, tags={VERSION_TAG: version})
            return TrackedRun(self.client, run)

    def describe(self, experiment: str, text: str, view: str) -> str:
        """Give an experiment its description and its view, if it has others; the experiment's id.

        `view` is what MLflow's pages keep of a table that is shared by its address, as JSON.
        """
        with store_errors(self.uri), self.locked():
            identity = self._experiment(experiment)
            tags = self.client.get_experiment(identity).tags
            for name, value in ((NOTE_TAG, text), (_VIEW_TAG + SCORES_VIEW, view)):
                if tags.get(name) != value:
                    self.client.set_experiment_tag(identity, name, value)
            return identity

    def _experiment(self, name: str) -> str:
        found = self.client.get_experiment_by_name(name)
        if found is None:
            location = None if is_server(self.uri) else (
                self.places.artifacts.resolve() / name).as_uri()
            return self.client.create_experiment(name, artifact_location=location)
        if found.lifecycle_stage == "deleted":
            self.client.restore_experiment(found.experiment_id)
        return found.experiment_id

    def locked(self) -> FileLock:
        """One process at a time looks for what it lacks and adds it."""
        self.places.work.mkdir(parents=True, exist_ok=True)
        return FileLock(self.places.work / "tracking.lock", timeout=120)


class LiveCurve:
    """A learning curve on its way to the store, as Lightning's loggers take it.

    Points that the store does not take are kept and sent with later ones, each time after twice
    as many: an unreachable store costs a long training a few attempts, and nothing else.
    """

    def __init__(self, uri: str, open_run: Callable[[], TrackedRun]) -> None:
        self._uri = uri
        self._open_run = open_run
        self._run: TrackedRun | None = None
        self._waiting: list[dict[str, float]] = []
        self._enough = 1

    def log_metrics(self, metrics: Mapping[str, float], step: int) -> None:
        """Add the point at `step`, if the run does not have it. Never raises."""
        self._waiting.append({**metrics, "step": step})
        if len(self._waiting) < self._enough:
            return
        try:
            with store_errors(self._uri):
                self._run = self._run or self._open_run()
                self._run.add_points(self._waiting)
        except UserError as error:
            # Found anew next time: whether the store has the last points is not known.
            self._run = None
            if self._enough == 1:
                print(f"warning: {error}. Training goes on; 'unrolled publish' adds to the store "
                      "what it lacks", file=sys.stderr, flush=True)
            self._enough *= 2
        else:
            self._waiting = []
            self._enough = 1


def live_logger(places: Places, key: str) -> LiveCurve:
    """The live curve of system `key`; the store is not touched before the first point."""
    uri = tracking_uri(places)
    settings = read_settings(places, "train", key)
    version = version_of(places, key)

    def open_run() -> TrackedRun:
        run = version_run(TrackingStore(uri, places), places, settings["track"], key, version)
        run.add_params(settings)
        return run

    return LiveCurve(uri, open_run)


def version_run(store: TrackingStore, places: Places, track: str, key: str,
                version: Version) -> TrackedRun:
    """The run of a system's version, in the experiment of its track ('real/asr' for real/)."""
    return store.run(experiment_name(places, track), key, version.hash)


def experiment_name(places: Places, track: str) -> str:
    """What a track is called in the store."""
    return f"{places.suite}{track}"


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one level: {'training': {'epochs': 3}} is {'training.epochs': 3}."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found
