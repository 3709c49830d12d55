"""What each stage of a suite is made from beside data, as a file that DVC watches: settings, code.

A stage runs again when a file among its `deps` changes. Folders of code as `deps` are too coarse: a
new layer in `pipeline/nn` would train every system again, for hours in the real suite. Lists of
files go out of date in silence. So the first stage reads the imports and writes for every other
stage the files that it uses, each with its hash, and beside them the part of params.yaml that
concerns it: a change reaches exactly the stages that it touches. DVC can watch parts of params.yaml
by itself, but parses the whole of it again for every stage and copies the parts into its lock,
which took longer than all the rest when there was nothing to do.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.config import Suite
from pipeline.dependencies import Code
from pipeline.files import sha256, write_json

# A change of these trains nothing again: one selects how a trained system answers, the other
# tells how its settings were found.
NOT_TRAINED = frozenset({"variants", "settings_tried"})


def write_inputs(suite: Suite, root: Path, folder: Path) -> None:
    """Write `<stage>/<key>.json`, and `report.json`, into `folder`.

    Each holds `settings`, and `code` as {path: SHA-256}.
    """
    code, hashes = Code(root), dict[Path, str]()
    for stage, key in _stages(suite):
        used = sorted(code.used(entry_points(suite, stage, key)))
        for path in used:
            if path not in hashes:
                hashes[path] = sha256(root / path)
        target = folder / stage / f"{key}.json" if key else folder / f"{stage}.json"
        write_json(target, {"settings": stage_settings(suite, stage, key),
                            "code": {path.as_posix(): hashes[path] for path in used}})


def entry_points(suite: Suite, stage: str, key: str) -> list[str]:
    """The stage's script, and the modules that it imports because params.yaml names them."""
    return [f"stages/{stage}.py", *_selected(suite, stage, key)]


def stage_settings(suite: Suite, stage: str, key: str) -> dict[str, Any]:
    """The part of params.yaml that decides what a stage writes."""
    if stage == "download":
        return suite.corpora[key]
    if stage == "train":
        return trained_params(suite, key, suite.seed)
    whole = suite.model_dump(mode="json")
    if stage == "evaluate":
        system = suite.systems[key]
        track = whole["tracks"][system["track"]]
        return {"system": system, **_part(track, "corpus", "metric"),
                **_part(whole, "seed", "threads", "resamples")}
    if stage == "features":
        return _part(whole["tracks"][key], "task", "corpus", "reader", "features")
    if stage == "leaderboard":
        return {"track": whole["tracks"][key],
                "systems": {system: suite.systems[system] for system in suite.systems_of(key)},
                **_part(whole, "evidence", "resamples")}
    return _part(whole, "evidence", "seed", "resamples", "tracks", "systems", "claims")


def trained_params(suite: Suite, key: str, seed: int) -> dict[str, Any]:
    """The settings that training depends on: the system's own, and under `run` the suite's."""
    own = {name: value for name, value in suite.systems[key].items() if name not in NOT_TRAINED}
    return {**own, "run": {"seed": seed, "threads": suite.threads, "device": suite.device,
                           "precision": suite.precision}}


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
        return [f"pipeline.corpora.{suite.corpora[key]['module']}"]
    if stage == "features":
        track = suite.tracks[key]
        return [f"pipeline.corpora.{track.reader}", f"pipeline.tasks.{track.task}.features"]
    if stage in ("train", "evaluate"):
        task = f"pipeline.tasks.{suite.systems[key]['task']}"
        answering = [f"{task}.scoring", f"{task}.figures"] if stage == "evaluate" else []
        return [f"{task}.{suite.systems[key]['model']}", *answering]
    tracks = [suite.tracks[key]] if key else suite.tracks.values()
    return sorted({f"pipeline.tasks.{track.task}.scoring" for track in tracks})
