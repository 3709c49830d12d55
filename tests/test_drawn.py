"""Each fault that a picture can have is found in one that has it, and in no other."""

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.drawing.style import Styled
from tests.drawn import faults

NUMBERS = np.linspace(0, 1, 12).reshape(3, 4)


def picture(spoil: Callable[[Figure, Axes], object] = lambda figure, axes: None) -> Figure:
    """A curve with all that it needs, and what `spoil` makes of it."""
    with Styled():
        figure = Figure(figsize=(5, 3))
        axes = figure.subplots()
        axes.plot([1, 2, 3], [1, 3, 2], label="system")
        axes.set(xlabel="step", ylabel="loss", title="How it learnt")
        spoil(figure, axes)
    return figure


def test_a_whole_picture_has_no_faults() -> None:
    assert faults(picture()) == []


@pytest.mark.parametrize(("spoil", "fault"), [
    (lambda figure, axes: axes.set_title(""), "no title"),
    (lambda figure, axes: axes.set_xlabel(""), "no x label"),
    (lambda figure, axes: axes.set_ylabel(""), "no y label"),
    (lambda figure, axes: axes.imshow(NUMBERS), "without a colour bar"),
    (lambda figure, axes: figure.colorbar(axes.imshow(NUMBERS, cmap="jet")), "colour map jet"),
    (lambda figure, axes: axes.set_title("a very long title " * 9), "cut"),
    (lambda figure, axes: axes.annotate("word", (2, 2), fontsize=3), "too small"),
    (lambda figure, axes: [axes.annotate(word, (2, 2)) for word in ("this", "that")], "lies on"),
    (lambda figure, axes: axes.legend(loc="upper center"), "a legend lies on"),
    (lambda figure, axes: axes.plot([1, 2], color="tab:pink"), "colour #e377c2"),
    (lambda figure, axes: axes.set_title("\N{HIRAGANA LETTER KA}"), "missing from font"),
])
def test_a_fault_is_found(spoil: Callable[[Figure, Axes], object], fault: str,
                          monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.drawing.style.fonts", lambda: ("DejaVu Sans",))
    found = faults(picture(spoil))
    assert found and all(fault in one for one in found)


def test_a_legend_beside_what_is_drawn_is_no_fault() -> None:
    assert faults(picture(lambda figure, axes: axes.legend(loc="lower right"))) == []


def test_black_and_white_need_no_colour_bar_and_maps_of_one_kind_share_one() -> None:
    assert faults(picture(lambda figure, axes: axes.imshow(NUMBERS > 0.5, cmap="gray_r"))) == []

    def share(figure: Figure, axes: Axes) -> None:
        for place, barred in ((axes, True), (figure.add_axes((0.7, 0.3, 0.1, 0.1)), False)):
            image = place.imshow(NUMBERS, vmin=0, vmax=1)
            place.set(title="part", xlabel="column", ylabel="row", xticks=[], yticks=[])
            if barred:
                figure.colorbar(image, ax=place, label="share")

    assert [fault for fault in faults(picture(share)) if "bar" in fault] == []
