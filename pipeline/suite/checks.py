"""Every check of a params.yaml, with all problems reported at once, each with its path.

The checks go from the outside in: the shape of the file, the entries against their modules'
`Settings`, and what entries say about each other.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline import modules
from pipeline.entries import Entry
from pipeline.suite.messages import ConfigError, describe, nearest
from pipeline.suite.schema import NAME, Suite, read_yaml, row_name, suite_of


def load_valid(path: Path) -> Suite:
    """Read params.yaml and check all of it. Raises ConfigError with every problem found."""
    raw = read_yaml(path)
    problems = problems_of(raw)
    if problems:
        raise ConfigError(path, problems)
    return suite_of(raw, path)


def problems_of(raw: Any) -> list[str]:
    """All problems of a parsed params.yaml, in the order of the file."""
    try:
        suite = Suite.model_validate(raw)
    except ValidationError as error:
        return describe(error, Suite, "")
    return [*_names(suite), *_corpora(suite), *_tracks(suite), *_systems(suite), *_claims(suite)]


def _names(suite: Suite) -> Iterator[str]:
    for kind in ("corpora", "tracks", "systems"):
        for key in getattr(suite, kind):
            if not NAME.fullmatch(key):
                yield (f"{kind}.{key}: a name is lower-case letters, digits and single hyphens, "
                       "since it becomes a file name")


def _settings_problems(settings: type[Entry], entry: Any, path: str) -> list[str]:
    try:
        settings.model_validate(entry)
    except ValidationError as error:
        return describe(error, settings, path)
    return []


def _unknown(path: str, kind: str, name: Any, known: list[str]) -> list[str]:
    if name in known:
        return []
    return [f"{path}: no {kind} {name!r}{nearest(str(name), known)}"]


def _missing_keys(entry: dict[str, Any], keys: list[str], path: str) -> list[str]:
    return [f"{path}.{key}: this key is missing" for key in keys if key not in entry]


def _corpora(suite: Suite) -> Iterator[str]:
    for key, entry in suite.corpora.items():
        path = f"corpora.{key}"
        problems = _missing_keys(entry, ["module"], path)
        if not problems:
            problems = _unknown(f"{path}.module", "corpus module", entry["module"],
                                modules.corpora())
        yield from problems or _settings_problems(
            modules.corpus_module(entry["module"]).Settings, entry, path)


def _tracks(suite: Suite) -> Iterator[str]:
    for key, track in suite.tracks.items():
        path = f"tracks.{key}"
        problems = _unknown(f"{path}.corpus", "corpus", track.corpus, list(suite.corpora))
        if not problems and track.reader != suite.corpora[track.corpus].get("module"):
            problems.append(f"{path}.reader: corpus {track.corpus!r} has module "
                            f"{suite.corpora[track.corpus].get('module')!r}; repeat it here")
        tasks = _unknown(f"{path}.task", "task", track.task, modules.tasks())
        if not tasks:
            metrics = list(modules.task_module(track.task, "scoring").METRICS)
            problems += _unknown(f"{path}.metric", "metric", track.metric, metrics)
            problems += _settings_problems(modules.task_module(track.task, "features").Settings,
                                           track.features, f"{path}.features")
        yield from problems + tasks
        rows = _rows(suite, key)
        for row in track.floor.rows if track.floor else []:
            yield from _unknown(f"{path}.floor.rows", "row", row, rows)


def _rows(suite: Suite, track: str) -> list[str]:
    """Names of all leaderboard rows that the systems of a track give."""
    return [row_name(key, variant) for key, entry in suite.systems.items()
            if entry.get("track") == track for variant in entry.get("variants") or {"": {}}]


def _systems(suite: Suite) -> Iterator[str]:
    for key, entry in suite.systems.items():
        path = f"systems.{key}"
        problems = _missing_keys(entry, ["track", "task", "model"], path)
        if problems:
            yield from problems
            continue
        problems = _unknown(f"{path}.track", "track", entry["track"], list(suite.tracks))
        if not problems and entry["task"] != suite.tracks[entry["track"]].task:
            problems.append(f"{path}.task: track {entry['track']!r} has task "
                            f"{suite.tracks[entry['track']].task!r}; repeat it here")
        tasks = modules.tasks()
        problems += _unknown(f"{path}.task", "task", entry["task"], tasks)
        if entry["task"] in tasks:
            unknown = _unknown(f"{path}.model", "model", entry["model"],
                               modules.models(entry["task"]))
            problems += unknown or _settings_problems(
                modules.model_module(entry["task"], entry["model"]).Settings, entry, path)
        yield from problems


def _claims(suite: Suite) -> Iterator[str]:
    seen: set[str] = set()
    for number, claim in enumerate(suite.claims):
        path = f"claims.{number} ({claim.id})"
        if claim.id in seen:
            yield f"{path}.id: another claim has this id"
        seen.add(claim.id)
        unknown = _unknown(f"{path}.track", "track", claim.track, list(suite.tracks))
        yield from unknown
        if unknown:
            continue
        rows = _rows(suite, claim.track)
        for field, names in (("better", [claim.better]), ("worse", claim.worse)):
            for row in names:
                yield from _unknown(f"{path}.{field}", "row", row, rows)
        task = suite.tracks[claim.track].task
        if task in modules.tasks():
            yield from _unknown(f"{path}.metric", "metric", claim.metric,
                                list(modules.task_module(task, "scoring").METRICS))
