"""A drawn table is the table, and the path in it the best of all paths."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from pipeline.storage.png import save_png
from pipeline.tasks.alignment.shared.table_pictures import (
    DECK_PERCENT,
    DECK_SYMBOLS,
    FLOOR,
    SHOWN,
    deck_example,
    table,
)

NAMES = ["SIL", "K", "AE", "T", "SIL"]


def drawn(frames: int = 40) -> tuple[np.ndarray, np.ndarray, Figure]:
    log_probs = np.random.default_rng(0).uniform(2 * FLOOR, 0, (frames, len(NAMES)))
    path = np.sort(np.arange(frames) % len(NAMES))
    gold = np.minimum(path + 1, len(NAMES) - 1)
    return log_probs, path, table(log_probs, NAMES, {"best path": path, "gold": gold}, "CAT", 0.01)


def mesh_of(axes: Axes) -> QuadMesh:
    mesh, = [one for one in axes.collections if isinstance(one, QuadMesh)]
    return mesh


def rows_at(axes: Axes, name: str, times: np.ndarray) -> list[float]:
    """The height at which the line called `name` is at each of `times`, each inside a frame."""
    line, = [line for line in axes.lines if line.get_label() == name]
    return np.interp(times, np.asarray(line.get_xdata()), np.asarray(line.get_ydata())).tolist()


def test_cells_are_log_probabilities_rows_from_the_top_and_frames_in_seconds() -> None:
    log_probs, _, figure = drawn()
    axes, bar = figure.axes
    np.testing.assert_allclose(np.asarray(mesh_of(axes).get_array()),
                               np.maximum(log_probs.T, FLOOR))
    corners = mesh_of(axes).get_coordinates()
    np.testing.assert_allclose(corners[0, :, 0], np.linspace(0, 0.4, 41))
    np.testing.assert_allclose((corners[:-1, 0, 1] + corners[1:, 0, 1]) / 2, range(5))
    assert axes.yaxis_inverted()
    assert [label.get_text() for label in axes.get_yticklabels()] == NAMES
    assert (figure.get_suptitle(), axes.get_xlabel(), bar.get_ylabel()) == (
        "CAT", "time (s)", "log-probability (nats)")


def test_each_path_is_at_its_row_at_each_frame() -> None:
    _, path, figure = drawn()
    middles = (np.arange(40) + 0.5) * 0.01
    assert rows_at(figure.axes[0], "best path", middles) == path.tolist()
    assert rows_at(figure.axes[0], "gold", middles) == np.minimum(path + 1, 4).tolist()


def test_of_a_long_utterance_the_beginning_is_drawn_and_the_title_says_so() -> None:
    _, path, figure = drawn(SHOWN + 20)
    axes = figure.axes[0]
    assert figure.get_suptitle() == f"CAT (first {SHOWN} of {SHOWN + 20} frames)"
    middles = (np.arange(SHOWN) + 0.5) * 0.01
    assert rows_at(axes, "best path", middles) == path[:SHOWN].tolist()
    assert axes.get_xlim() == pytest.approx((0, SHOWN * 0.01))


def test_the_slides_example_has_the_path_that_no_other_beats() -> None:
    percent = np.array(DECK_PERCENT)
    assert percent.shape == (9, 7) and (percent.sum(axis=1) == 100).all()
    sequence = [DECK_SYMBOLS.index(name) for name in ("/B/", "/IY/", "/F/", "/IY/")]
    found = {}
    for ends in combinations(range(1, 9), 3):
        rows = np.searchsorted(ends, np.arange(9), side="right")
        found[tuple(rows)] = np.prod(percent[np.arange(9), np.array(sequence)[rows]] / 100)
    best = max(found, key=lambda rows: found[rows])
    axes, bar = deck_example().axes
    assert rows_at(axes, f"best path, {np.log(found[best]):.2f} nats", np.arange(1.0, 10)) == list(
        best)
    np.testing.assert_allclose(np.asarray(mesh_of(axes).get_array()), percent[:, sequence].T / 100)
    assert [text.get_text() for text in axes.texts[:9]] == [
        f"{number / 100:.2f}" for number in percent[:, sequence[0]]]
    assert (axes.get_xlabel(), bar.get_ylabel()) == ("frame", "probability")


def test_frame_by_frame_the_slides_example_would_be_another_sequence() -> None:
    most = [DECK_SYMBOLS[place] for place in np.argmax(DECK_PERCENT, axis=1)]
    assert most == ["/B/", "/D/", "/IY/", "/IY/", "/IY/", "/F/", "/G/", "/IY/", "/IY/"]


def test_nothing_written_overlaps_or_is_cut() -> None:
    for figure in (drawn()[2], deck_example()):
        FigureCanvasAgg(figure).draw()
        axes = figure.axes[0]
        texts = [figure._suptitle, axes.xaxis.label, axes.yaxis.label, *axes.get_yticklabels(),
                 *axes.get_xticklabels(), *axes.texts, figure.axes[1].yaxis.label]
        boxes = [text.get_window_extent() for text in texts if text.get_text()]
        assert all(figure.bbox.contains(box.x0, box.y0) and figure.bbox.contains(box.x1, box.y1)
                   for box in boxes)
        assert not any(one.padded(-1).overlaps(other.padded(-1))
                       for one, other in combinations(boxes, 2))


def test_the_same_table_is_the_same_picture(tmp_path: Path) -> None:
    for name in ("one.png", "other.png"):
        save_png(deck_example(), tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()
