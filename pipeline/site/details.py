"""A row by itself: its settings, how to make and use it, and the code that it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.modules import task_module
from pipeline.results.boards import Board, Row
from pipeline.results.leaderboard import costs_of
from pipeline.results.markdown import decimal
from pipeline.results.trainings import place_of
from pipeline.running.trained import suite_option
from pipeline.scoring.scores import Metric
from pipeline.site.addresses import row_anchor
from pipeline.site.code import Library, Module
from pipeline.suite.schema import Suite

_CREATING = ("language_model", "music")  # tasks whose networks write or compose
_NO_SETTINGS = ("track", "model", "variants", "settings_tried", "settings_of")


@dataclass(frozen=True)
class Detail:
    """What a page says of one row, folded away; settings and commands are pairs of texts."""

    row: str
    anchor: str
    summary: str
    evidence: str
    settings: Sequence[tuple[str, str]]
    commands: Sequence[tuple[str, str]]
    model: Module | None
    methods: Sequence[Module]


def detail_of(suite: Suite, board: Board, row: Row, library: Library, metric: Metric) -> Detail:
    """`metric` is the board's."""
    name, track = row["system"], board["track"]
    key, variant = place_of(suite, track, name)
    return Detail(
        row=name, anchor=row_anchor(name),
        summary=f"{board['metric']} {decimal(row['value'], metric.decimals)}",
        evidence=_evidence(suite, key, row),
        settings=list(_settings(suite, key, variant)),
        commands=list(_commands(suite, key, name)),
        model=library.model(suite, key), methods=library.methods(suite, key))


def _evidence(suite: Suite, key: str, row: Row) -> str:
    """What stands behind a row, in a sentence."""
    if row["evidence"]["kind"] == "ci":
        return "Continuous integration trains it again from an empty clone."
    cost = costs_of(suite, key).get("train")
    told = ("Run by this project; what it cost is not recorded." if cost is None else
            f"Run by this project in {decimal(cost['seconds'], 1)} s of training"
            f" on {cost.get('processor') or 'a processor that is not recorded'}, at "
            f"{_commit(cost.get('commit'))}.")
    return told + (" The code or the settings have changed since; it is to be trained again."
                   if row["evidence"].get("stale") else "")


def _commit(commit: str | None) -> str:
    return f"commit {commit[:12]}" if commit else "a commit that is not recorded"


def _settings(suite: Suite, key: str, variant: str) -> Iterator[tuple[str, str]]:
    """What params.yaml says of a system and of its variant, by dotted name."""
    entry = suite.systems[key]
    yield "model", str(entry["model"])
    yield from _dotted({name: value for name, value in entry.items()
                        if name not in _NO_SETTINGS}, "")
    yield from _dotted((entry.get("variants") or {}).get(variant) or {}, "answers: ")


def _dotted(entry: Mapping[str, Any], above: str) -> Iterator[tuple[str, str]]:
    for name, value in entry.items():
        if isinstance(value, Mapping):
            yield from _dotted(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", _in_words(value)


def _in_words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_in_words, value)) or "none"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return str(value)


def _commands(suite: Suite, key: str, row: str) -> Iterator[tuple[str, str]]:
    """How to make a row again, train it further, and use it on a file of one's own."""
    option, task = suite_option(suite), suite.task_of(key)
    own = task_module(task, "own")
    yield "train and score it again", f"dvc repro {suite.address('evaluate', key)}"
    yield "train it with further seeds", f"unrolled spread {key}{option}"
    yield (f"use it on {own.TAKES}", f"unrolled predict {row} mine{own.SUFFIXES[0]}{option}")
    if task in _CREATING and "training" in suite.systems[key]:
        yield "let it write or compose", f"unrolled create {row}{option}"
