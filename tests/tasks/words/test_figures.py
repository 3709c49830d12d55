"""What the pictures show: counts, accuracies and weights by hand, and that they say what they are.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from pipeline.audio.frames import Frames, write_frames
from pipeline.storage.files import write_json
from pipeline.tasks.words.figures import (
    PARTS,
    attention,
    confusions,
    draw,
    parts_of,
    places,
    speakers,
    spread,
)

LABELS = ["one", "six", "two"]


class Attending:
    """Weighs the loudest frame alone, and has a picture of its own."""

    spec = {"hop": 0.01, "front_end": {"kind": "mfcc"}}

    def attention_weights(self, frames: np.ndarray, speaker: str) -> np.ndarray:
        weights = np.zeros(len(frames), np.float32)
        weights[frames.sum(axis=1).argmax()] = 1.0
        return weights

    def pictures(self, test: Path, place: int) -> Iterator[tuple[str, Figure]]:
        yield f"own-{place}", Figure()


@pytest.fixture
def test(tmp_path: Path) -> Path:
    random = np.random.default_rng(2)
    items = [{"id": f"i{number}", "speaker": "ab"[number % 2]} for number in range(9)]
    write_json(tmp_path / "test.items.json", items)
    write_json(tmp_path / "labels.json", LABELS)
    write_json(tmp_path / "gold.json", {item["id"]: LABELS[number % 3]
                                        for number, item in enumerate(items)})
    write_frames(tmp_path, "test", [random.normal(0, 1, (4 + number, 3)).astype(np.float32)
                                    for number in range(9)])
    return tmp_path


def answers(*wrong: int) -> list[dict[str, Any]]:
    return [{"id": f"i{number}", "label": LABELS[(number + (number in wrong)) % 3],
             "probabilities": {label: float(label == LABELS[(number + (number in wrong)) % 3])
                               for label in LABELS}} for number in range(9)]


def test_every_picture_is_written(test: Path, tmp_path: Path) -> None:
    system: Any = Attending()
    draw(system, {"plain": answers(1), "other": answers(1, 2)}, test, tmp_path / "drawn")
    assert {path.name for path in (tmp_path / "drawn").iterdir()} == {
        "confusion-plain.png", "confusion-other.png", "speakers.png", "attention.png",
        "attention_places.png", "own-4.png"}


def test_confusions_show_shares_of_the_right_labels_items() -> None:
    table = np.array([[2, 1, 0], [0, 3, 0], [1, 0, 2]])
    figure = confusions(LABELS, table, "plain")
    axes, bar = figure.axes
    shown = {(int(text.get_position()[1]), int(text.get_position()[0])): int(text.get_text())
             for text in axes.texts}
    assert shown == {(0, 0): 67, (0, 1): 33, (1, 1): 100, (2, 0): 33, (2, 2): 67}
    assert "plain takes for which: 7 of 9 right" in figure.get_suptitle()
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("answer", "right label (items)")
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "one (3)", "six (3)", "two (3)"]
    assert bar.get_ylabel() == "% of the items of a right label, a row"
    assert np.asarray(axes.images[0].get_array())[0] == pytest.approx([200 / 3, 100 / 3, 0])


def test_speakers_are_sorted_by_what_is_understood() -> None:
    items = [{"id": str(number), "speaker": speaker} for number, speaker in enumerate("abcabc")]
    gold = dict.fromkeys("012345", "x")
    found = {"one": ["y", "x", "y", "x", "x", "y"], "two": ["x", "x", "y", "x", "x", "x"]}
    figure = speakers(items, gold, found, "row")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["b (2)", "a (2)", "c (2)"]
    drawn = {line.get_label(): list(line.get_ydata()) for line in axes.lines
             if "all items" in str(line.get_label())}
    assert drawn == {"one, all items: 50.0 %": [100, 50, 0],
                     "two, all items: 83.3 %": [100, 100, 50]}
    assert figure.get_suptitle() and axes.get_ylabel() == "accuracy, %"


def test_items_of_different_labels_are_shown(test: Path) -> None:
    items = [{"id": f"i{number}"} for number in range(9)]
    gold = {f"i{number}": LABELS[number % 3] for number in range(9)}
    # Of each label the one of middle length: lengths rise with the number.
    assert spread(Frames(test, "test"), items, gold) == [3, 4, 5]


def test_attention_has_axes_in_seconds_and_a_colour_bar() -> None:
    frames = [np.ones((50, 3)), np.zeros((20, 3))]
    weights = [np.full(50, 0.02), np.full(20, 0.05)]
    figure = attention(frames, weights, ["first", "second"], 0.01,
                       "log-mel", "row")
    above = [axes for axes in figure.axes if axes.images and axes.get_title()]
    assert [axes.get_title() for axes in above] == ["first", "second"]
    assert [axes.images[0].get_extent()[1] for axes in above] == [0.5, 0.2]
    below = [axes for axes in figure.axes if axes.get_ylabel() == "weight"]
    assert [axes.get_xlim()[1] for axes in below] == [0.5, 0.2]
    assert all(axes.get_xlabel().startswith("time, s") for axes in below)
    assert "features: log-mel, ln of energy" in [axes.get_ylabel() for axes in figure.axes
                                                 if not axes.images]
    assert figure.get_suptitle()


@pytest.mark.parametrize("length", [1, 7, 20, 33])
def test_weights_are_shared_among_the_parts_of_a_recording(length: int) -> None:
    """Against a sum over so many samples of each frame that they fit into the parts."""
    weights = np.random.default_rng(length).dirichlet(np.ones(length))
    fine = np.repeat(weights / PARTS, PARTS).reshape(PARTS, length).sum(axis=1)
    assert parts_of(weights) == pytest.approx(fine)


def test_mean_places_are_percent() -> None:
    late, early = np.eye(10)[9], np.eye(10)[0]
    figure = places([late, late, early, np.full(4, 0.25)], "row")
    (axes,) = figure.axes
    (steps,) = [patch for patch in axes.patches if hasattr(patch, "get_data")]
    values = steps.get_data().values
    assert values.sum() == pytest.approx(100)
    # Half of a tenth of each recording: a quarter of the weight of two items, and of equal ones.
    assert values[-1] == pytest.approx(100 * (2 * 0.5 + 0.05) / 4)
    assert values[0] == pytest.approx(100 * (0.5 + 0.05) / 4)
    assert figure.get_suptitle() == "Where row attends, mean over 4 test items"
