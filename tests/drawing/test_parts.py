"""Titles fit, legends and words hide nothing, and axes of a wide range have ticks to read."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.figure import Figure

from pipeline.drawing.parts import (
    as_power,
    legend_below,
    powers_of_ten,
    title,
    words_apart,
    wrapped,
)
from pipeline.drawing.style import Styled, look


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("text", ["a system that attends to words " * 6, "日本語の文" * 20])
def test_a_title_is_no_wider_than_its_figure(text: str) -> None:
    figure = Figure(figsize=(5, 3))
    figure.subplots().plot([1, 2])
    title(figure, text)
    figure.draw_without_rendering()
    shown = figure.findobj(lambda artist: getattr(artist, "get_text", str)() ==
                           figure.get_suptitle())[0]
    box = shown.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1
    assert figure.get_suptitle().replace("\n", "").replace(" ", "") == text.replace(" ", "")


def test_lines_that_somebody_broke_stay_broken() -> None:
    assert wrapped("one\ntwo", 5, 10) == "one\ntwo"


def test_a_legend_names_each_thing_once_and_lies_below_all_panels() -> None:
    with Styled():
        figure = Figure(figsize=(5, 3))
        panels = figure.subplots(1, 2)
        for axes in panels:
            for name in ("a system with a rather long name", "another with a longer one yet"):
                axes.plot([1, 2], label=name)
        legend_below(figure)
        figure.draw_without_rendering()
    legend, = figure.legends
    assert len(legend.get_texts()) == 2
    box = legend.get_window_extent()
    assert figure.bbox.contains(box.x0, box.y0) and figure.bbox.contains(box.x1, box.y1)
    assert not any(box.overlaps(axes.bbox) for axes in panels)


def test_without_names_there_is_no_legend() -> None:
    figure = Figure()
    figure.subplots().plot([1, 2])
    legend_below(figure)
    assert not figure.legends


def test_powers_are_written_with_raised_digits() -> None:
    assert [as_power(value) for value in (1e-12, 1.0, 2e-3, 0.0)] == [
        "10⁻¹²", "10⁰", "2·10⁻³", "0"]


@pytest.mark.parametrize("values", [[1e-12, 1.0], [0.013, 0.06], [0.021, 0.034], [1e-3, 0.05]])
def test_every_range_has_ticks(values: list[float]) -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.plot(values)
    powers_of_ten(axes.yaxis, values)
    low, high = axes.get_ylim()
    assert sum(low <= tick <= high for tick in axes.yaxis.get_ticklocs()) >= 2


def test_no_word_lies_on_another_and_the_first_ones_are_written() -> None:
    figure = Figure(figsize=(4, 3))
    axes = figure.subplots()
    places = np.random.default_rng(1).normal(size=(60, 2))
    axes.plot(*places.T, "o")
    words_apart(figure, axes, {f"word{number}": place.tolist()
                               for number, place in enumerate(places)})
    boxes = [text.get_window_extent() for text in axes.texts]
    assert axes.texts[0].get_text() == "word0" and 10 < len(boxes) < 60
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_no_two_of_the_first_forty_look_alike() -> None:
    assert len({look(number) for number in range(40)}) == 40
