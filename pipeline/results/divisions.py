"""Divisions of a track: rows that differ in the help they had are not ranked against each other.

Benchmark suites let entrants compete in divisions, so that a place is won by what is measured and
not by what was brought along. Speech recognition is such a case: a grammar over all words, a bigram
and no language model at all are different help. A task's `scoring.py` says by `DIVISION` which
setting tells its divisions apart; that setting's value in params.yaml, of a row's variant or else
of its system, is the row's division. It is read as it stands there, since a leaderboard depends on
params.yaml and on no system's module: what a module fills in by default is not seen, so such a
setting has no default but "none". Source of the idea: Mattson et al. 2020, "MLPerf Training
Benchmark", whose closed and open divisions share no ranking.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pipeline.errors import UserError
from pipeline.modules import task_module
from pipeline.suite.schema import Suite

# The division of what has no such setting.
WITHOUT = "none"
AnyRow = TypeVar("AnyRow", bound=Mapping[str, Any])


def setting_of(task: str) -> str | None:
    """The setting that tells a task's divisions apart; None where all rows compete together."""
    return getattr(task_module(task, "scoring"), "DIVISION", None)


def division_in_words(task: str) -> str | None:
    """The same for people: 'language model'."""
    setting = setting_of(task)
    return setting.replace("_", " ") if setting else None


def divisions_of(suite: Suite, key: str) -> dict[str, str]:
    """The division of each of a system's rows, by row; empty for a task without divisions.

    Raises UserError for a setting that is no word.
    """
    setting = setting_of(suite.task_of(key))
    if setting is None:
        return {}
    return {row: _division(suite.systems[key], f"systems.{key}", variant, setting)
            for variant, row in suite.rows_of(key).items()}


def by_division(rows: Iterable[AnyRow]) -> dict[str | None, list[AnyRow]]:
    """A leaderboard's rows by their division, None for all of a track without any.

    Divisions come in the order of their first rows, and rows in theirs.
    """
    found: dict[str | None, list[AnyRow]] = {}
    for row in rows:
        found.setdefault(row.get("division"), []).append(row)
    return found


def _division(entry: Mapping[str, Any], place: str, variant: str, setting: str) -> str:
    own = (entry.get("variants") or {}).get(variant, {})
    if setting in own:
        entry, place = own, f"{place}.variants.{variant}"
    value = entry.get(setting)
    if value is None:
        return WITHOUT
    if not isinstance(value, str) or not value.strip():
        raise UserError(f"params.yaml: {place}.{setting}: {value!r} names no division; say in a "
                        f"word which {setting.replace('_', ' ')} it is, for example {WITHOUT!r}")
    return value
