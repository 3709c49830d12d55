"""Which code each stage of a suite uses, as files that DVC watches in the code's place.

A stage runs again when a file among its `deps` changes. Folders as `deps` are too coarse: a new
layer in `pipeline/nn` would train every system again, for hours in the real suite. Lists of files
go out of date in silence. So the first stage reads the imports and writes for every other stage
the files that it uses, each with its hash, and that list is the stage's dependency: a change
reaches exactly the stages whose code it touches.
"""

from collections.abc import Iterator
from pathlib import Path

from pipeline.config import Suite
from pipeline.dependencies import modules_used
from pipeline.files import sha256, write_json


def write_sources(suite: Suite, root: Path, folder: Path) -> None:
    """Write `<stage>/<key>.json`, and `report.json`, each {path: SHA-256}, into `folder`."""
    hashes: dict[Path, str] = {}
    for stage, key in _stages(suite):
        used = sorted(modules_used(root, entry_points(suite, stage, key)))
        for path in used:
            if path not in hashes:
                hashes[path] = sha256(root / path)
        target = folder / stage / f"{key}.json" if key else folder / f"{stage}.json"
        write_json(target, {path.as_posix(): hashes[path] for path in used})


def entry_points(suite: Suite, stage: str, key: str) -> list[str]:
    """The stage's script, and the modules that it imports because params.yaml names them."""
    return [f"stages/{stage}.py", *_selected(suite, stage, key)]


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
