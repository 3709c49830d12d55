"""A dvc.lock as DVC would write it for the results of a small suite that lie there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.provenance.lock import content_hash
from pipeline.suite.schema import Suite


def write_lock(suite: Suite) -> None:
    """What each stage read and wrote; an output that is not there gets a hash of its name's."""
    places = suite.places
    stages = {}
    for name, deps, outs in _stages(suite):
        stage, _, key = name.partition("@")
        stages[name] = {
            "cmd": f"python -m stages.{stage} {suite.suite}params.yaml {key}".strip(),
            "deps": [_entry(suite, path) for path in deps],
            "outs": [_entry(suite, path) for path in outs]}
    YAML().dump({"schema": "2.0", "stages": stages}, places.lock)


def _stages(suite: Suite) -> Iterator[tuple[str, list[Path], list[Path]]]:
    places = suite.places
    for corpus in suite.corpora:
        yield f"download@{corpus}", [places.input("download", corpus)], [places.data(corpus)]
    for track, entry in suite.tracks.items():
        yield (f"features@{track}", [places.data(entry.corpus), places.input("features", track)],
               [places.fit(track), places.test(track)])
        for key in suite.systems_of(track):
            yield (f"train@{key}", [places.fit(track), places.input("train", key)],
                   [places.model(key)])
            yield (f"evaluate@{key}",
                   [places.model(key), places.test(track), places.input("evaluate", key)],
                   [places.predictions(track, key), places.figures(track, key),
                    places.metrics(track, key)])
        yield (f"leaderboard@{track}", [places.input("leaderboard", track)],
               [places.page(track), places.board(track), places.pictures(track)])
    yield "report", [places.all_seeds], [places.overview, places.claims]


def _entry(suite: Suite, path: Path) -> dict[str, Any]:
    name = path.relative_to(suite.places.root).as_posix()
    if not path.exists():
        return {"path": name, "hash": "md5", "md5": f"{sum(map(ord, name)):032x}", "size": 1}
    entry: dict[str, Any] = {"path": name, "hash": "md5", "md5": content_hash(path)}
    if path.is_file():
        return entry | {"size": path.stat().st_size}
    files = [file for file in path.rglob("*") if file.is_file()]
    return entry | {"size": sum(file.stat().st_size for file in files), "nfiles": len(files)}
