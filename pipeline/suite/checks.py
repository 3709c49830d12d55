"""Every check of a params.yaml, with all problems reported at once, each with its path.

The checks go from the outside in: the shape of the file, the entries against their modules'
`Settings`, and what entries say about each other.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline import modules
from pipeline.entries import Entry
from pipeline.errors import UserError
from pipeline.suite.messages import ConfigError, describe, nearest
from pipeline.suite.schema import (
    ClaimSettings,
    Suite,
    TrackSettings,
    read_yaml,
    row_name,
    suite_of,
)


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
    return [*_corpora(suite), *_tracks(suite), *_systems(suite), *_claims(suite)]


def doubts(suite: Suite) -> Iterator[str]:
    """What is no mistake by the rules, but is likely to be one."""
    for key, track in suite.tracks.items():
        rows = _rows(suite, key)
        for name in track.published:
            if name not in rows and (close := get_close_matches(name, rows, n=1, cutoff=0.85)):
                yield (f"tracks.{key}.published.{name}: no row has this name, so it is listed as a "
                       f"system of the literature; did you mean {close[0]!r}?")


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


def _corpora(suite: Suite) -> Iterator[str]:
    for key, entry in suite.corpora.items():
        path = f"corpora.{key}"
        problems = _unknown(f"{path}.module", "corpus module", entry["module"], modules.corpora())
        yield from problems or _settings_problems(
            modules.corpus_module(entry["module"]).Settings, entry, path)


def _tracks(suite: Suite) -> Iterator[str]:
    for key, track in suite.tracks.items():
        path = f"tracks.{key}"
        problems = _unknown(f"{path}.corpus", "corpus", track.corpus, list(suite.corpora))
        tasks = _unknown(f"{path}.task", "task", track.task, modules.tasks())
        if not tasks and not problems:
            problems += _reader_problems(suite, track, path)
        if not tasks:
            metrics = list(modules.task_module(track.task, "scoring").METRICS)
            problems += _unknown(f"{path}.metric", "metric", track.metric, metrics)
            problems += _settings_problems(modules.task_module(track.task, "features").Settings,
                                           track.features, f"{path}.features")
        yield from problems + tasks
        rows = _rows(suite, key)
        for row in track.floor.rows if track.floor else []:
            yield from _unknown(f"{path}.floor.rows", "row", row, rows)


def _reader_problems(suite: Suite, track: TrackSettings, path: str) -> list[str]:
    """What the track's features ask of a corpus whose reader does not give it."""
    module = suite.corpora[track.corpus].get("module")
    settings = modules.task_module(track.task, "features").Settings
    if module not in modules.corpora() or _settings_problems(settings, track.features, path):
        return []
    found = settings.model_validate(track.features).reader_problems(modules.corpus_module(module))
    return [f"{path}.features: {problem}" for problem in found]


def _rows(suite: Suite, track: str) -> list[str]:
    """Names of all leaderboard rows that the systems of a track give."""
    return [row_name(key, variant) for key, entry in suite.systems.items()
            if entry.get("track") == track for variant in entry.get("variants") or {"": {}}]


def _systems(suite: Suite) -> Iterator[str]:
    for key, entry in suite.systems.items():
        path = f"systems.{key}"
        problems = _unknown(f"{path}.track", "track", entry["track"], list(suite.tracks))
        yield from problems
        # What a system is can be told by its track's task alone.
        task = None if problems else suite.tracks[entry["track"]].task
        if task in modules.tasks():
            unknown = _unknown(f"{path}.model", "model", entry["model"], modules.models(task))
            yield from unknown or _settings_problems(
                modules.model_module(task, entry["model"]).Settings, entry, path)
        yield from _whose_settings(suite, key, entry)


def _whose_settings(suite: Suite, key: str, entry: dict[str, Any]) -> list[str]:
    """Where the count of compared settings comes from: one place, which is there."""
    path = f"systems.{key}.settings_of"
    other = entry.get("settings_of")
    if other is None:
        return []
    if "settings_tried" in entry:
        return [f"{path}: {other!r} has the count of the settings tried; leave settings_tried out"]
    if unknown := _unknown(path, "system", other, list(suite.systems)):
        return unknown
    try:
        suite.settings_tried(key)
    except UserError as error:
        # One that is unknown further on is named at the entry that names it.
        return [str(error)] if str(error).startswith(path) else []
    return []


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
        yield from _claim_rows(claim, path, _rows(suite, claim.track))
        task = suite.tracks[claim.track].task
        if task in modules.tasks():
            yield from _unknown(f"{path}.metric", "metric", claim.metric,
                                list(modules.task_module(task, "scoring").METRICS))


def _claim_rows(claim: ClaimSettings, path: str, rows: list[str]) -> Iterator[str]:
    """Names that are no rows, and a contrast that has no one difference to be held against."""
    named = {"better": [claim.better], "worse": claim.worse}
    if claim.contrast:
        named |= {"contrast.better": [claim.contrast.better],
                  "contrast.worse": [claim.contrast.worse]}
        if len(claim.worse) != 1:
            yield (f"{path}.worse: a claim with a contrast compares two differences, so it has one "
                   f"row here, not {len(claim.worse)}; make it a claim for each row")
        if (claim.better, claim.worse) == (claim.contrast.better, [claim.contrast.worse]):
            yield f"{path}.contrast: this is the claim's own difference; name two other rows"
        if (claim.better, claim.worse) == (claim.contrast.worse, [claim.contrast.better]):
            yield f"{path}.contrast: this is the claim's own difference, reversed; name other rows"
        if claim.contrast.better == claim.contrast.worse:
            yield f"{path}.contrast: both of its rows are {claim.contrast.better!r}; name two"
    if claim.better in claim.worse:
        yield f"{path}.worse: {claim.better!r} is the better row too; name another"
    if len(set(claim.worse)) < len(claim.worse):
        yield f"{path}.worse: a row stands there twice; name it once"
    for field, names in named.items():
        for row in names:
            yield from _unknown(f"{path}.{field}", "row", row, rows)
