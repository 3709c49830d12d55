"""What each stage of a suite is made from beside data, as a file that DVC watches: settings, code.

A stage runs again when a file among its `deps` changes. Folders of code as `deps` are too coarse: a
new layer in `pipeline/nn` would train every system again, for hours in the real suite. Lists of
files go out of date in silence. So the first stage reads the imports and writes for every other
stage the files that it uses, each with its identity, and beside them the part of params.yaml that
concerns it: a change reaches exactly the stages that it touches. DVC can watch parts of params.yaml
by itself, but parses the whole of it again for every stage and copies the parts into its lock,
which took longer than all the rest when there was nothing to do.

Stages read their settings from these files alone: params.yaml may have been edited since.

A trained system's version is the hash of its file here and of its training data. The same settings,
data and code give the same version on every machine, whatever the folder and the files' dates. A
resume checkpoint is taken up again only by its own version, and a run in the tracking store is
found by it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired

# On Python 3.11 pydantic reads these alone.
from typing_extensions import TypedDict

from pipeline.errors import UserError
from pipeline.modules import corpus_name, model_name, part_name
from pipeline.provenance.code import Code
from pipeline.provenance.lock import Lock
from pipeline.provenance.rows import row_version
from pipeline.storage.seal import read_sealed, write_sealed
from pipeline.storage.shapes import shaped
from pipeline.suite.places import Places
from pipeline.suite.schema import Suite

# How a system's settings were found changes nothing that it does, and how it answers no training.
_FOUND = frozenset({"settings_tried", "settings_of"})
NOT_TRAINED = _FOUND | {"variants"}
# What pages do not depend on, as a suite that is read back from their settings has it.
_UNREAD: dict[str, Any] = {"corpora": {}, "mirror": None, "threads": 1, "device": "cpu",
                           "precision": "fp32"}
_AGAIN = "'dvc repro --force --single-item validate' in the folder of params.yaml writes it again"
_STAGE_CODE = {"features": ["pipeline.running.extraction"],
               "train": ["pipeline.systems.fitting"],
               "evaluate": ["pipeline.running.evaluation"],
               "leaderboard": ["pipeline.results.leaderboard"],
               "report": ["pipeline.results.report"]}


class Inputs(TypedDict):
    """A stage's settings, and the identities of the files of its code.

    The evaluate stage's say also which version of a row it makes.
    """

    settings: dict[str, Any]
    code: dict[str, str]
    version: NotRequired[str]


class _Mirror(TypedDict):
    mirror: str | None


def write_inputs(suite: Suite) -> None:
    """Write `inputs/<stage>/<key>.json`, and `inputs/report.json`.

    Each holds `settings`, in the order of params.yaml, in which a corpus is drawn and variants are
    shown, `code` as {path: identity}, and a digest of both. `inputs/mirror.json`, on which no stage
    depends, says where copies of corpora lie: checksums make their bytes the same as elsewhere.
    Pages depend on `seeds/<track>/`, which git does not keep while it is empty: it is made here.
    """
    code = Code(suite.places.root)
    contents = {(stage, key): _inputs(suite, code, stage, key) for stage, key in _stages(suite)}
    for key in suite.systems:
        behind = {part[0]: contents[part] for part in _behind(suite, key)}
        # A nicer picture is drawn by other code, and no score, and so no version, is another.
        behind["evaluate"] = {**behind["evaluate"], "code": _identities(
            code, [*_STAGE_CODE["evaluate"], *_answering(suite, key)])}
        contents["evaluate", key]["version"] = row_version(behind)
    for (stage, key), content in contents.items():
        write_sealed(suite.places.input(stage, key), content)
    write_sealed(suite.places.input("mirror"), {"mirror": suite.mirror})
    make_seed_folders(suite)


def make_seed_folders(suite: Suite) -> None:
    """Make `seeds/<track>/` of each track that lacks it."""
    for track in suite.tracks:
        suite.places.seeds(track).mkdir(parents=True, exist_ok=True)


def _inputs(suite: Suite, code: Code, stage: str, key: str) -> Inputs:
    return {"settings": stage_settings(suite, stage, key),
            "code": _identities(code, entry_points(suite, stage, key))}


def _identities(code: Code, entries: Sequence[str]) -> dict[str, str]:
    return {path.as_posix(): code.identity(path) for path in sorted(code.used(entries))}


def _behind(suite: Suite, key: str) -> list[tuple[str, str]]:
    """The stages that a system's answers come from."""
    track = suite.track_of(key)
    return [("download", suite.track(track).corpus), ("features", track), ("train", key),
            ("evaluate", key)]


def read_settings(places: Places, stage: str, key: str = "") -> dict[str, Any]:
    """The settings that `validate` has written for a stage."""
    return _read(places, stage, key)["settings"]


def read_row_version(places: Places, key: str) -> str:
    """The version of the rows that the evaluate stage of a system makes now.

    Raises UserError before `validate` has run.
    """
    found = _read(places, "evaluate", key)
    if "version" not in found:
        raise UserError(f"{places.input('evaluate', key)} states no version; {_AGAIN}")
    return found["version"]


def read_mirror(places: Places) -> str | None:
    """The folder with copies of corpora that params.yaml names."""
    path = places.input("mirror")
    return shaped(read_sealed(path, _AGAIN), _Mirror, str(path), _AGAIN)["mirror"]


def read_suite(places: Places, stage: str, key: str = "") -> Suite:
    """The part of a suite that a leaderboard's or the report's stage is about."""
    return Suite.model_validate(read_settings(places, stage, key)).placed(places.root)


def entry_points(suite: Suite, stage: str, key: str) -> list[str]:
    """The module behind a stage, and those that it imports because params.yaml names them."""
    return [*_STAGE_CODE.get(stage, []), *_selected(suite, stage, key)]


def stage_settings(suite: Suite, stage: str, key: str) -> dict[str, Any]:
    """The part of params.yaml that decides what a stage writes."""
    if stage == "download":
        return suite.corpora[key]
    if stage == "train":
        return trained_params(suite, key)
    whole = suite.model_dump(mode="json")
    if stage == "evaluate":
        track = whole["tracks"][suite.track_of(key)]
        system = {name: value for name, value in suite.systems[key].items() if name not in _FOUND}
        return {"system": system, "settings_tried": suite.settings_tried(key),
                **_part(track, "task", "corpus", "metric"),
                **_part(whole, "seed", "threads", "device", "resamples")}
    if stage == "features":
        return {"reader": suite.reader_of(key),
                **_part(whole["tracks"][key], "task", "corpus", "features")}
    if stage == "leaderboard":
        return whole | _UNREAD | {
            "claims": [], "tracks": {key: whole["tracks"][key]},
            "systems": {name: suite.systems[name] for name in suite.systems_of(key)}}
    return whole | _UNREAD


def trained_params(suite: Suite, key: str) -> dict[str, Any]:
    """What training depends on: the system's own settings, its task, and as `run` how it is run.

    Seed, threads and device are the suite's, and the precision is the track's.
    """
    own = {name: value for name, value in suite.systems[key].items() if name not in NOT_TRAINED}
    return {**own, "task": suite.task_of(key),
            "run": {"seed": suite.seed, "threads": suite.threads, "device": suite.device,
                    "precision": suite.precision_of(suite.track_of(key))}}


@dataclass(frozen=True)
class Version:
    """16 hexadecimal digits of SHA-256 each, DVC's hash of the data; `hash` is that of all."""

    params: str
    data: str
    code: str
    hash: str


def version_of(places: Places, key: str, seed: int | None = None) -> Version:
    """The version of system `key` trained on the features that are there now.

    `seed` replaces that of the suite. Raises UserError before `validate` and `features` have run.
    """
    inputs = _read(places, "train", key)
    track = inputs["settings"]["track"]
    data = Lock(places).folder(f"features@{track}", places.fit(track))
    return _version(inputs, data, seed)


def trained_version(places: Places, key: str, lock: Lock) -> Version | None:
    """The version that `lock` says system `key` was trained as, without its features.

    None when it was not trained from what its file of inputs says now.
    """
    stage, file = f"train@{key}", places.input("train", key)
    if not lock.read(stage, file):
        return None
    inputs = _read(places, "train", key)
    data = lock.digest(stage, "deps", places.fit(inputs["settings"]["track"]))
    return _version(inputs, data, None) if data else None


def _read(places: Places, stage: str, key: str) -> Inputs:
    """Raises UserError when the file is not the one that `validate` has written."""
    path = places.input(stage, key)
    return shaped(read_sealed(path, _AGAIN), Inputs, str(path), _AGAIN)


def _version(inputs: Inputs, data: str, seed: int | None) -> Version:
    params, code = params_hash(with_seed(inputs["settings"], seed)), _short(inputs["code"])
    return Version(params, data, code, _short([params, data, code]))


def with_seed(settings: Mapping[str, Any], seed: int | None) -> dict[str, Any]:
    """A train stage's settings with another seed, if one is given."""
    if seed is None:
        return dict(settings)
    return {**settings, "run": {**settings["run"], "seed": seed}}


def params_hash(settings: Mapping[str, Any]) -> str:
    """The part of a version that params.yaml alone decides, of a train stage's settings."""
    return _short(settings)


def _short(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def _part(settings: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: settings[name] for name in names}


def _stages(suite: Suite) -> Iterator[tuple[str, str]]:
    for stage, keys in (("download", suite.corpora), ("features", suite.tracks),
                        ("train", suite.systems), ("evaluate", suite.systems),
                        ("leaderboard", suite.tracks)):
        for key in keys:
            yield stage, key
    yield "report", ""


def _selected(suite: Suite, stage: str, key: str) -> list[str]:
    if stage == "download":
        return [corpus_name(suite.corpora[key]["module"])]
    if stage == "features":
        return [corpus_name(suite.reader_of(key)), part_name(suite.tracks[key].task, "features")]
    if stage == "train":
        return [model_name(suite.task_of(key), suite.systems[key]["model"])]
    if stage == "evaluate":
        return [*_answering(suite, key), part_name(suite.task_of(key), "figures")]
    tracks = [suite.tracks[key]] if key else suite.tracks.values()
    return sorted({part_name(track.task, "scoring") for track in tracks})


def _answering(suite: Suite, key: str) -> list[str]:
    """The modules that answer and score, without that which draws."""
    task = suite.task_of(key)
    return [model_name(task, suite.systems[key]["model"]), part_name(task, "scoring")]
