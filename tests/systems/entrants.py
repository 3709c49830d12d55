"""Who must pass the conformance test, found by walking the suites: nobody lists them.

Every system of the embedded suite is an entrant. One of another suite is an entrant where it
brings what no entrant before it has: a model, a categorical setting, or a setting switched on. Its
own corpus is nothing for a test, so it competes on an embedded track of its task, and is cut down
to that track's size.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.modules import model_module
from pipeline.suite.schema import Suite, load

OTHERS = ("real", "large")
# Fewer units than these learn nothing in a few steps where half of them are dropped; a window is
# shorter than the twins' shortest series, and their quickest speakers leave few frames to stack.
LARGEST = {"embedding": 128, "hidden": 128, "attention_hidden": 128, "summary": 128,
           "channels": 16, "layers": 2, "stack": 2, "window": 18, "windows_an_epoch": 4,
           "batch_streams": 8, "batch_utterances": 8, "batch_sentences": 8, "batch_pieces": 8,
           "batch_windows": 8, "batch_pictures": 8}
NO_BEHAVIOUR = ("track", "settings_tried")


@dataclass(frozen=True)
class Entrant:
    """A system to be tested, and the embedded track whose features it is fitted on."""

    name: str
    task: str
    track: str
    entry: dict[str, Any]

    def __str__(self) -> str:
        return self.name

    @property
    def neural(self) -> bool:
        return "training" in self.entry

    @property
    def settings(self) -> Any:
        return model_module(self.task, self.entry["model"]).Settings.model_validate(self.entry)


def entrants(root: Path) -> list[Entrant]:
    """All systems of the embedded suite, and those of the others that bring something new."""
    embedded = load(root / "params.yaml")
    return [*(Entrant(key, embedded.task_of(key), entry["track"], entry)
              for key, entry in embedded.systems.items()),
            *newcomers(embedded, [load(root / folder / "params.yaml") for folder in OTHERS])]


def newcomers(embedded: Suite, others: list[Suite]) -> Iterator[Entrant]:
    """Systems of `others` that bring what neither `embedded` nor a suite before them has."""
    known = {trait for key, entry in embedded.systems.items()
             for trait in traits(embedded.task_of(key), entry)}
    for suite in others:
        for key, entry in suite.systems.items():
            task = suite.task_of(key)
            brought = traits(task, entry)
            if not brought <= known:
                known |= brought
                track = nearest_track(embedded, task, suite.track(entry["track"]).metric)
                yield Entrant(f"{suite.name}/{key}", task, track, {**cut(entry), "track": track})


def traits(task: str, entry: dict[str, Any]) -> set[tuple]:
    """What a system's entry has or switches on, whatever its sizes and its variants' names."""
    behaviour = {name: value for name, value in entry.items() if name not in NO_BEHAVIOUR}
    variants = behaviour.pop("variants", None) or {}
    parts = [*_traits((), behaviour),
             *(trait for variant in variants.values() for trait in _traits(("variants",), variant))]
    return {(task, *trait) for trait in parts}


def _traits(place: tuple[str, ...], settings: dict[str, Any]) -> Iterator[tuple]:
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _traits((*place, name), value)
        elif isinstance(value, str | bool):
            yield (*place, name, value)
        elif value:
            yield (*place, name)


def nearest_track(embedded: Suite, task: str, metric: str) -> str:
    """The first track of the task with that primary metric, or else the task's first."""
    return min((key for key, track in embedded.tracks.items() if track.task == task),
               key=lambda key: embedded.tracks[key].metric != metric)


def cut(entry: dict[str, Any]) -> dict[str, Any]:
    """The same entry with sizes that suit the smallest corpora; nothing is switched off."""
    return {name: _at_most(LARGEST[name], value) if name in LARGEST else value
            for name, value in entry.items()}


def _at_most(largest: int, size: Any) -> Any:
    if isinstance(size, list):
        return [_at_most(largest, part) for part in size]
    return min(largest, size)
