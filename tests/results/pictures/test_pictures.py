"""Pictures on pages: all that a board names, small, whole, and the same bytes each time."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from pipeline.drawing.style import look
from pipeline.results.boards import Board
from pipeline.results.leaderboard import build, with_trainings, write_leaderboard
from pipeline.results.pictures import comparisons, gallery, intervals
from pipeline.results.pictures.gallery import Material, pictures, write_pictures
from pipeline.results.pictures.style import styled, svg
from pipeline.scoring.facets import Facet
from pipeline.storage.files import read_json, write_json
from pipeline.suite.schema import Suite
from pipeline.tasks.forecast import scoring
from pipeline.tasks.forecast.scoring import METRICS
from tests.drawn import faults
from tests.toy_suite import statistics, toy_suite, write_results

LARGEST = 60 * 1024
FACETS = {"past_length": Facet("length of the past", "points", "past", "smape", (1, 11, 21, 22))}


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    found = toy_suite(tmp_path)
    write_results(found)
    return found


@pytest.fixture
def facets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "FACETS", FACETS, raising=False)


def material(suite: Suite, *pasts: float) -> Material:
    """The toy board with two trainings of the network; items have pasts of 5, 5, 21 and 30."""
    found = with_trainings(suite, build(suite, "yearly"))
    trained = {row: replace(of, statistics=[statistics(row)] * (1 if of.deterministic else 2))
               for row, of in found.trained.items()}
    for of in trained.values():
        for items in of.statistics:
            items.columns["past"] = np.array(pasts or (5.0, 5.0, 21.0, 30.0))
    return Material.of(suite, found.board, trained, found.costs)


def test_a_track_gets_every_picture_that_there_is_something_to_show_for(
        suite: Suite, facets: None) -> None:
    found = material(suite)
    assert found.board["pictures"] == ["intervals", "curves", "by-past-length", "cost"]
    folder = suite.places.pictures("yearly")
    folder.mkdir(parents=True)
    (folder / "of-a-removed-facet.svg").touch()
    write_pictures(found, folder)
    assert {path.name for path in folder.iterdir()} == {
        "intervals.svg", "curves.svg", "by-past-length.svg", "cost.svg"}


def test_what_nothing_is_known_of_is_not_drawn(suite: Suite) -> None:
    suite.places.curve("yearly", "network").unlink()
    for key in suite.systems:
        path = suite.places.metrics("yearly", key)
        write_json(path, read_json(path) | {"parameters": 0})
    assert material(suite).board["pictures"] == ["intervals"]


def test_a_page_embeds_its_pictures_and_they_are_there(suite: Suite) -> None:
    write_leaderboard(suite, "yearly")
    page = suite.places.page("yearly")
    named = re.findall(r"!\[.+?\]\((.+?)\)", page.read_text())
    assert named == ["yearly/intervals.svg", "yearly/curves.svg", "yearly/cost.svg"]
    assert all((page.parent / name).stat().st_size > 0 for name in named)


def test_the_same_board_gives_the_same_bytes_without_date_or_program(
        suite: Suite, facets: None) -> None:
    first, second = (dict(pictures(material(suite))) for _ in range(2))
    assert first == second and len(first) == 4
    for content in first.values():
        assert not re.search(rb"<dc:date>|Matplotlib v|matplotlib\.org", content)


def test_a_facet_pools_items_between_its_edges_and_leaves_empty_pools_out(
        suite: Suite, facets: None) -> None:
    facet = FACETS["past_length"]
    shown = gallery._over_facet(material(suite), facet)
    assert shown["smooth:holt"][0] == pytest.approx(10.0)  # 8 and 12
    assert shown["network"][2:] == pytest.approx([4.0, 5.0])
    assert np.isnan([values[1] for values in shown.values()]).all()
    text = dict(pictures(material(suite)))["by-past-length.svg"].decode()
    assert all(f">{pool}<" in text for pool in ("1–10", "21", "22+"))
    assert ">11–20<" not in text


def test_a_facet_that_is_the_same_of_all_items_is_not_drawn(suite: Suite, facets: None) -> None:
    assert "by-past-length" not in material(suite, 5.0, 6.0, 7.0, 10.0).board["pictures"]
    assert "by-past-length" in material(suite, 5.0, 6.0, 7.0, 11.0).board["pictures"]


def many(rows: int) -> Board:
    """A board with as many rows and long names, some of them published and far off."""
    def row(number: int) -> dict:
        value = 20.0 + number
        published = number % 3 == 2
        seeds = {"scores": [value, value + 0.3, value - 0.2], "mean": value, "deviation": 0.3}
        return {"system": f"a-recurrent-system-{number}:with-attention", "value": value,
                "low": None if published else value - 0.5,
                "high": None if published else value + 0.5,
                "seeds": None if published else seeds,
                "evidence": {"kind": "published" if published else "ci"},
                "published": {"value": 900.0 if number % 2 else value, "source": "s"}
                if published else None}

    return {"track": "yearly", "metric": "perplexity", "ceiling": 19.0, "floor": 30.0,  # type: ignore[typeddict-item]
            "rows": [row(number) for number in range(rows)]}


def large() -> dict[str, Figure]:
    """Each kind of picture with the most that a track has: 18 rows, 200 validations."""
    names = [f"a-recurrent-system-{number}:with-attention" for number in range(18)]
    looks = {name: look(number) for number, name in enumerate(names)}
    draw = np.random.default_rng(1)
    metric = METRICS["owa"]
    steps = list(range(100, 20_100, 100))
    return {
        "intervals": intervals.draw(many(18), metric),
        "curves": comparisons.curves(
            {name: (steps, (5 * draw.uniform(0.9, 1, 200)).tolist()) for name in names[:7]}, looks,
            "yearly"),
        "cost": comparisons.cost({name: (10.0 ** draw.uniform(1, 7), draw.uniform(0.1, 9))
                                  for name in names}, looks, "parameters", "owa", metric,
                                 "yearly"),
        "facet": comparisons.over_facet(
            {name: draw.uniform(0.5, 2, 10).tolist() for name in names}, looks,
            [f"{n}00–{n}99" for n in range(1, 11)], "length of the past, points", "owa", metric,
            "yearly")}


def test_the_largest_pictures_are_small_and_their_text_is_text() -> None:
    with styled():
        for name, figure in large().items():
            content = svg(figure)
            assert len(content) < LARGEST, name
            assert b"a-recurrent-system-0:with-attention" in content


def drawn_ticks(axes: Axes) -> list[Text]:
    """The labels of ticks within the axes' limits; no others are drawn."""
    found = []
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        found += [tick.label1 for tick in axis.get_major_ticks()
                  if low <= tick.get_loc() <= high and tick.label1.get_text()]
    return found


def test_no_text_is_cut_off_or_lies_on_another() -> None:
    with styled():
        for name, figure in large().items():
            assert faults(figure) == [], name
            (axes,), (legend,), page = figure.axes, figure.legends, figure.bbox
            ticks = [label.get_window_extent() for label in drawn_ticks(axes)]
            assert len(ticks) > 5
            others = [text.get_window_extent() for text in (
                axes.xaxis.label, axes.yaxis.label, *axes.texts, *legend.get_texts())
                if text.get_text()]
            for box in (*ticks, *others):
                assert page.contains(box.x0, box.y0) and page.contains(box.x1, box.y1), name
            boxes = [*ticks, *others]
            assert not [one for number, one in enumerate(boxes) for other in boxes[:number]
                        if one.overlaps(other)], name
            assert not axes.bbox.overlaps(legend.get_window_extent()), name


def test_no_two_of_the_most_rows_look_alike() -> None:
    assert len({look(number) for number in range(40)}) == 40


def test_a_row_without_an_interval_is_drawn_without_one(suite: Suite) -> None:
    board = many(4)
    for row in board["rows"]:
        row["low"] = row["high"] = None
    with styled():
        assert svg(intervals.draw(board, METRICS["owa"]))


def test_looks_are_those_of_rows_in_every_picture(suite: Suite, facets: None) -> None:
    looks = gallery._looks(material(suite))
    assert looks["smooth"] == looks["smooth:ses"] != looks["network"]
