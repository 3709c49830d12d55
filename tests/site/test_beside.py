"""Figures of single items: they stand beside the item that their task has drawn them of."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from pipeline.audio.frames import write_frames
from pipeline.drawing.items import write_items
from pipeline.site import beside
from pipeline.site.figures import Figure, Gallery, gallery
from pipeline.storage.files import write_json
from pipeline.suite.schema import Suite, load
from pipeline.tasks.asr import figures as recognisers
from tests.conftest import ROOT
from tests.lettering import lettering


def placed(suite: Suite, track: str, found: Gallery) -> dict[str, list[tuple[str, list[str]]]]:
    return {item: [(figure.name, figure.systems) for figure in figures]
            for item, figures in beside.figures_by_item(suite, track, found).items()}


def drawn(suite: Suite, track: str, key: str, items: Mapping[str, str]) -> None:
    folder = suite.places.figures(track, key)
    folder.mkdir(parents=True)
    write_items(folder, items)


def figure(name: str, *keys: str) -> Figure:
    return Figure(name, "picture", f"{name}-{keys[0]}.png", "", list(keys))


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return load(ROOT / "params.yaml").placed(tmp_path)


def test_a_figure_stands_where_each_system_has_drawn_it(suite: Suite) -> None:
    drawn(suite, "asr", "one", {"states": "u1", "spikes": "u1"})
    drawn(suite, "asr", "two", {"states": "u2"})
    found = Gallery({"states": [figure("states", "one"), figure("states", "two")],
                     "spikes": [figure("spikes", "one")],
                     "speakers": [figure("speakers", "one", "two", "none drawn")]}, [], {})
    assert placed(suite, "asr", found) == {"u1": [("states", ["one"]), ("spikes", ["one"])],
                                           "u2": [("states", ["two"])]}


def test_a_figure_that_is_the_same_of_systems_stands_once(suite: Suite) -> None:
    for key in ("one", "two"):
        drawn(suite, "asr", key, {"states": "u1"})
    found = Gallery({"states": [figure("states", "one", "two")]}, [], {})
    assert placed(suite, "asr", found) == {"u1": [("states", ["one", "two"])]}


class Emits:
    """A system that hears symbol A in the whole of an utterance."""

    spec = {"front_end": {"hop_ms": 10.0}}

    def emissions(self, utterances: list[np.ndarray]) -> list[np.ndarray]:
        return [np.log(np.full((len(one), 2), [0.1, 0.9], np.float32)) for one in utterances]

    def text(self, symbols: list[int]) -> str:
        return "A" * len(symbols)


def test_a_drawn_figure_stands_beside_the_item_that_is_written_in_it(
        suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    test, folder = suite.places.test("asr"), suite.places.figures("asr", "asr-deep-speech")
    ids = ["u-first", "u-second", "u-third"]
    write_frames(test, "test", (np.zeros((length, 3), np.float32) for length in (9, 30, 12)))
    write_json(test / "test.items.json", [
        {"id": identity, "condition": "clean", "speaker": "clean/amy", "reference": "one two"}
        for identity in ids])
    written = lettering(monkeypatch)
    recognisers.draw(Emits(), {"plain": [  # type: ignore[arg-type]
        {"id": identity, "hypothesis": "one"} for identity in ids]}, test, folder)
    found = placed(suite, "asr", gallery(suite, "asr", ["asr-deep-speech"]))
    assert found.keys() == {identity for identity in ids if identity in written["spikes"]}
    assert list(found.values()) == [[("spikes", ["asr-deep-speech"])]]


def test_nothing_is_placed_that_nobody_noted_and_nothing_of_real_items(suite: Suite,
                                                                       tmp_path: Path) -> None:
    found = Gallery({"attention": [figure("attention_1", "translation-attention")]}, [], {})
    assert placed(suite, "translation", found) == {}
    real = load(ROOT / "real/params.yaml").placed(tmp_path)
    drawn(real, "translation-en-de", "translation-attention", {"attention_1": "s1"})
    assert placed(real, "translation-en-de", found) == {}
