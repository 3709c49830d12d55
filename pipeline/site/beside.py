"""Which test item a figure of a system is of, so that it can stand beside what was answered.

A task draws attention for a few items that it chooses by a rule of its own (`figures.py` of the
task); the same rule is read here off what the features stage has left. Figures that show several
items at once stay in the gallery.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.running.sealed import checked_test
from pipeline.site.figures import Figure, Gallery
from pipeline.site.items import may_be_shown
from pipeline.storage.arrays import read_array
from pipeline.storage.shapes import read_shaped
from pipeline.storage.words import words_in
from pipeline.suite.schema import Suite

# As in `figures.py` of translation and of captions.
READABLE_PIECES = range(6, 26)
TRANSLATION_MAPS, CAPTION_MAPS = 2, 3
_OF_ONE_UTTERANCE = ("attention", "spikes", "paths", "states")


def figures_by_item(suite: Suite, track: str, found: Gallery) -> Mapping[str, Sequence[Figure]]:
    """The figures of single items, by the item's id; none where the features are not here."""
    items: Mapping[str, str] = {}
    if may_be_shown(suite) and suite.places.test(track).is_dir():
        test = checked_test(suite.places, track)
        rule = {"translation": _translations, "caption": _captions, "asr": _utterance}.get(
            suite.track(track).task)
        items = rule(test) if rule else {}
    placed: dict[str, list[Figure]] = {}
    for figure in (figure for same in found.figures.values() for figure in same):
        if figure.name in items:
            placed.setdefault(items[figure.name], []).append(figure)
    return placed


def _translations(test: Path) -> dict[str, str]:
    """The first sentences of a readable length."""
    lengths = np.diff(read_array(test / "source.offsets.npy"))
    readable = [place for place, length in enumerate(lengths) if length in READABLE_PIECES]
    return {f"attention_{number}": _ids(test / "items.json")[place]
            for number, place in enumerate(readable[:TRANSLATION_MAPS], start=1)}


def _captions(test: Path) -> dict[str, str]:
    """Pictures spread evenly over the test set."""
    ids = _ids(test / "items.json")
    places = np.unique(np.linspace(0, len(ids) - 1, min(len(ids), CAPTION_MAPS)).round())
    return {f"attention_{number}": ids[int(place)] for number, place in enumerate(places, start=1)}


def _utterance(test: Path) -> dict[str, str]:
    """The utterance with words whose recording is of middle length."""
    listed = read_shaped(test / "test.items.json", list[dict[str, Any]])
    lengths = np.diff(read_array(test / "test.offsets.npy"))
    spoken = np.flatnonzero([bool(words_in(item["reference"])) for item in listed])
    if not len(spoken):
        return {}
    middle = spoken[np.argsort(lengths[spoken], kind="stable")[len(spoken) // 2]]
    return dict.fromkeys(_OF_ONE_UTTERANCE, listed[int(middle)]["id"])


def _ids(path: Path) -> list[str]:
    return [entry["id"] for entry in read_shaped(path, list[dict[str, Any]])]
