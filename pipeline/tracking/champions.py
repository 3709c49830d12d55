"""The winner of each track in MLflow's model registry, under the alias `champion`.

The first of a leaderboard's own rows is registered as a model that answers files
(`pipeline.tracking.serving`): `mlflow models serve` makes an HTTP service of it. It is registered
only where that says what it seems to: where dvc.lock vouches for the leaderboard, for the scores of
the run and, byte for byte, for the folder of the model. A folder is registered once with each way
to answer; publishing again finds the version by a tag, and moves the alias where another row leads.

What is kept is the folder of safetensors and JSON and a script of four lines: no pickle.
"""

import json
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.provenance.lock import Lock, content_hash
from pipeline.results.boards import own, preference, ranking
from pipeline.running.trained import key_of
from pipeline.suite.schema import Suite
from pipeline.tracking.store import TrackedRun, TrackingStore, experiment_name

ALIAS = "champion"
_FOLDER = "champion"  # of the run's artifacts
_TAG = "unrolled.champion"
_SCRIPT = Path(__file__).with_name("champion_model.py")
# What MLflow has to know of an environment; the project itself is installed from its folder.
_NEEDED = ("mlflow", "torch", "safetensors", "numpy")


@dataclass(frozen=True)
class _Winner:
    """The row that leads a track, the system and variant behind it, and its model's hash."""

    row: str
    key: str
    variant: str
    score: float
    digest: str


def model_name(suite: Suite, track: str) -> str:
    """What the winner of a track is called in the registry, which takes no slash."""
    return experiment_name(suite.places, track).replace("/", ".")


def register(store: TrackingStore, suite: Suite, track: str, lock: Lock,
             scored: Mapping[str, TrackedRun]) -> str | None:
    """Register the winner of a track, if it is not; the reason where that cannot be done.

    `scored` has the runs of the systems whose scores are published, by system.
    """
    found = _winner(suite, track, lock, scored)
    if isinstance(found, str):
        return found
    name, run = model_name(suite, track), scored[found.key]
    tag = f"{run.version}/{found.row}/{found.digest}"
    with tempfile.TemporaryDirectory(prefix="unrolled-") as folder:
        model = Path(folder) / _FOLDER
        if _version_of(store, name, tag) is None:
            _save(suite, found, model)  # takes seconds, in which nobody has to wait for the store
        with store.locked():
            version = _version_of(store, name, tag) or _add(store, suite, track, found, run, tag,
                                                            model)
            aliases = store.client.get_registered_model(name).aliases
            if str(aliases.get(ALIAS)) != str(version):
                store.client.set_registered_model_alias(name, ALIAS, str(version))
    return None


def _winner(suite: Suite, track: str, lock: Lock,
            scored: Mapping[str, TrackedRun]) -> _Winner | str:
    board = suite.places.board(track)
    if not lock.wrote(f"leaderboard@{track}", board):
        return "its leaderboard is not the one that dvc.lock names ('unrolled repro' writes it)"
    rows = own(ranking(board)["rows"])
    if not rows:
        return "its leaderboard has no row of this project's"
    row = rows[0]["system"]
    try:
        key, variant = key_of(suite, row)
    except UserError:
        return f"its first row, {row}, is no longer in params.yaml"
    model = suite.places.model(key)
    if not model.is_dir():
        return "the first row's model is not here"
    if key not in scored:
        return f"scores of the first row, {row}, are not published"
    digest = content_hash(model)
    if digest != lock.digest(f"train@{key}", "outs", model):
        return (f"{model.relative_to(suite.places.root).as_posix()} is not the one that dvc.lock "
                "names ('dvc checkout' takes it back)")
    return _Winner(row, key, variant, rows[0]["value"], digest)


def _version_of(store: TrackingStore, name: str, tag: str) -> str | None:
    found = store.client.search_model_versions(f"name = '{name}'")
    return next((one.version for one in found if one.tags.get(_TAG) == tag), None)


def _add(store: TrackingStore, suite: Suite, track: str, winner: _Winner, run: TrackedRun,
         tag: str, model: Path) -> str:
    name = model_name(suite, track)
    store.client.log_artifacts(run.id, str(model), _FOLDER)
    if not store.client.search_registered_models(f"name = '{name}'"):
        store.client.create_registered_model(
            name, description="The row with the best score of the track "
                              f"**{suite.tracks[track].title}**; its alias is `{ALIAS}`.")
    added = store.client.create_model_version(
        name, f"{run.artifacts}/{_FOLDER}", run.id,
        tags={_TAG: tag, "row": winner.row, "track": track, "dvc.model": winner.digest},
        description=_description(suite, track, winner))
    return str(added.version)


def _save(suite: Suite, winner: _Winner, place: Path) -> None:
    """Write the model as MLflow's folder."""
    from importlib.metadata import version

    from mlflow.pyfunc import save_model

    from pipeline.tracking.serving import MODEL, VARIANT, signature

    variants = suite.systems[winner.key].get("variants") or {}
    chosen: dict[str, Any] = {name: variants[name] for name in [winner.variant] if name in variants}
    with warnings.catch_warnings():
        # It advises an example of a request, which would be answered before it is saved.
        warnings.simplefilter("ignore", UserWarning)
        save_model(
            path=str(place), python_model=str(_SCRIPT),
            signature=signature(suite.task_of(winner.key)),
            artifacts={MODEL: str(suite.places.model(winner.key).resolve())},
            # Plain JSON, since YAML's own types would be written as such.
            model_config={VARIANT: json.loads(json.dumps(chosen))},
            pip_requirements=[f"{name}=={version(name)}" for name in _NEEDED])


def _description(suite: Suite, track: str, winner: _Winner) -> str:
    metric, better = suite.tracks[track].metric, preference(suite.places.board(track))
    name = model_name(suite, track)
    return (f"`{winner.row}`, the first row of the leaderboard: {metric} {winner.score:.6g} "
            f"({better} is better). It answers what `unrolled predict {winner.row}` answers. "
            f"With this project installed:\n\n    mlflow models serve --model-uri "
            f"models:/{name}@{ALIAS} --env-manager local --port 5002")
