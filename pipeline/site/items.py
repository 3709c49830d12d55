"""What the test items of a track are, where they may be shown: source, right answer, picture.

Only items of corpora that the project generates are shown, and only where the features stage has
left them; a real corpus's text stays with its publisher. Most tasks list their items in a JSON file
whose keys say what is what; those whose items are numbers have arrays.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypedDict

from pipeline.running.sealed import checked_test
from pipeline.storage.arrays import read_array
from pipeline.storage.shapes import read_shaped
from pipeline.suite.schema import Suite

_LISTS = ("items.json", "test.items.json")
# Keys of listed items that readers want, by what they are called here; the last are right answers.
_GIVEN = {"text": "text", "source": "source", "first": "first", "second": "second", "lag": "lag",
          "condition": "condition"}
_RIGHT = ("reference", "references", "sum", "label", "target", "tags")
Timed = tuple[str, float, float]  # what is heard, from when to when, in seconds
_PAST = 3  # times the horizon: so much of a series is shown before its forecast


class _Coordinates(TypedDict):
    """What is read of the items of a track of paths that may not be shown."""

    coordinates: list[str]


@dataclass(frozen=True)
class Item:
    """`given` is what a system met, by name; `right` what it had to say, as text, the first shown.

    `numbers` is that of a forecast or of a path: the truth, after `past` where there is one.
    `times` are those at which what is said is heard, in a recording that lasts `seconds`.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    right: Sequence[str] = ()
    units: Sequence[str] = ()
    numbers: NDArray[np.float64] | None = None
    past: NDArray[np.float64] | None = None
    picture: NDArray[np.uint8] | None = None
    times: Sequence[Timed] = ()
    seconds: float | None = None


def may_be_shown(suite: Suite) -> bool:
    """Whether a suite's corpora are generated: those that CI trains on from an empty clone are."""
    return suite.evidence == "ci"


def known_items(suite: Suite, track: str, wanted: Sequence[str]) -> dict[str, Item]:
    """The items of the ids that are `wanted`, as far as they are here and may be shown.

    Raises UserError naming a file that is damaged.
    """
    if not may_be_shown(suite) or not suite.places.test(track).is_dir():
        return {}
    test = checked_test(suite.places, track)
    readers: dict[str, Callable[[Path, set[str]], Iterator[tuple[str, Item]]]] = {
        "forecast": _series, "trajectory": _paths, "language_model": _texts, "tagging": _tagged,
        "caption": _pictures, "alignment": _aligned, "embeddings": lambda *_: iter(())}
    read = readers.get(suite.track(track).task, _listed)
    return dict(read(test, set(wanted)))


def coordinates(suite: Suite, track: str) -> list[str]:
    """The names of a path's coordinates; those of a corpus that is not here are numbered."""
    path = suite.places.test(track) / "items.json"
    if path.is_file():
        return read_shaped(path, _Coordinates)["coordinates"]
    return []


def _listed(test: Path, wanted: set[str]) -> Iterator[tuple[str, Item]]:
    for identity, entry, _ in _entries(test, wanted):
        yield identity, _item(entry)


def _entries(test: Path, wanted: set[str]) -> Iterator[tuple[str, Mapping[str, Any], int]]:
    """Id, entry and place of the listed items that are wanted."""
    for name in _LISTS:
        if (test / name).is_file():
            listed = read_shaped(test / name, list[dict[str, Any]])
            for place, entry in enumerate(listed):
                if entry.get("id") in wanted:
                    yield entry["id"], entry, place


def _item(entry: Mapping[str, Any], **more: Any) -> Item:
    right: Any = next((entry[name] for name in _RIGHT if name in entry), [])
    if isinstance(right, list) and "tags" in entry:
        right = " ".join(right)
    texts = [str(one) for one in right] if isinstance(right, list) else [str(right)]
    given = {shown: str(entry[name]) for name, shown in _GIVEN.items() if entry.get(name)}
    return Item(given, texts, **more)


def _tagged(test: Path, wanted: set[str]) -> Iterator[tuple[str, Item]]:
    forms = read_shaped(test / "test.forms.json", list[str])
    words, offsets = read_array(test / "test.words.npy"), read_array(test / "test.offsets.npy")
    for identity, entry, place in _entries(test, wanted):
        units = [forms[word] for word in words[offsets[place]:offsets[place + 1]]]
        yield identity, _item(entry, units=units)


def _pictures(test: Path, wanted: set[str]) -> Iterator[tuple[str, Item]]:
    pictures = read_array(test / "test.pictures.npy")
    for identity, entry, place in _entries(test, wanted):
        yield identity, _item(entry, picture=np.array(pictures[place]))


def _aligned(test: Path, wanted: set[str]) -> Iterator[tuple[str, Item]]:
    """Utterances with the true times of their phones; one that another runs into has no time."""
    gold = read_shaped(test / "gold.json", dict[str, dict[str, list[list[Any]]]])
    for identity, entry, _ in _entries(test, wanted):
        times = [(str(label), float(begin), float(end))
                 for label, begin, end in gold[identity]["phones"]
                 if begin is not None and end is not None]
        yield identity, _item(entry, times=times, seconds=float(entry["seconds"]))


def _texts(test: Path, wanted: set[str]) -> Iterator[tuple[str, Item]]:
    """The words or characters of lines, which training's features name."""
    listed = read_shaped(test / "items.json", dict[str, Any])["items"]
    vocabulary = read_shaped(test.parent / "fit" / "spec.json", dict[str, Any])["vocabulary"]
    lengths, tokens = read_array(test / "test.lengths.npy"), read_array(test / "test.tokens.npy")
    begins = np.concatenate([[0], np.cumsum(lengths)])
    for place, entry in enumerate(listed):
        if entry["id"] in wanted:
            line = tokens[begins[place]:begins[place + 1]]
            yield entry["id"], Item(units=[vocabulary[token] for token in line])


def _series(test: Path, wanted: set[str]) -> Iterator[tuple[str, Item]]:
    ids = read_shaped(test / "ids.json", list[str])
    futures, points = read_array(test / "futures.npy"), read_array(test / "points.npy")
    offsets = read_array(test / "offsets.npy")
    for place, identity in enumerate(ids):
        if identity in wanted:
            past = points[offsets[place]:offsets[place + 1]][-_PAST * futures.shape[1]:]
            yield identity, Item(numbers=np.array(futures[place]), past=np.array(past))


def _paths(test: Path, wanted: set[str]) -> Iterator[tuple[str, Item]]:
    ids = read_shaped(test / "items.json", dict[str, Any])["ids"]
    states = read_array(test / "test.npy")
    for place, identity in enumerate(ids):
        if identity in wanted:
            yield identity, Item(numbers=np.array(states[place, 1:]))
