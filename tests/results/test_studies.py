"""Pages and pictures of studies show what their files hold; so do the committed ones."""

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.results.studies import (
    Point,
    Study,
    best_of,
    differences,
    figure,
    point_of,
    read_study,
    same,
    with_point,
    write_study,
)
from pipeline.scoring.records import Score
from pipeline.suite.places import Places
from pipeline.suite.schema import load
from tests.conftest import ROOT


def point(value: Any, bigram: float, uniform: Score | None = None) -> Point:
    return {"value": value, "counts": {"tied states": 100, "words": 2000}, "parameters": 5000,
            "scores": {"bigram": {"value": bigram, "low": bigram - 1, "high": bigram + 2},
                       "uniform": uniform or {"value": 20.0, "low": None, "high": None}}}


def study(*points: Point, stands: object = 150) -> Study:
    return {"track": "asr", "system": "triphones", "setting": "tying.states", "measure": "WER (%)",
            "stands": stands, "version": "00ff", "points": list(points)}


THREE = study(point(100, 9.0), point(150, 7.25), point(400, 7.25))


def test_the_picture_has_scores_and_intervals_where_the_values_are() -> None:
    axes = figure(THREE).axes[0]
    drawn = {str(line.get_label()): line for line in axes.lines}
    assert list(drawn["bigram"].get_xdata()) == [100, 150, 400]
    assert list(drawn["bigram"].get_ydata()) == [9.0, 7.25, 7.25]
    assert list(drawn["uniform"].get_ydata()) == [20.0] * 3
    assert list(drawn["in params.yaml"].get_xdata()) == [150, 150]
    band, = axes.collections
    corners = band.get_paths()[0].vertices
    assert {tuple(corner) for corner in corners.tolist()} >= {
        (100, 8), (100, 11), (150, 6.25), (150, 9.25), (400, 6.25), (400, 9.25)}
    assert axes.get_xlabel() == "tying.states of triphones" and axes.get_ylabel() == "WER (%)"
    assert drawn["bigram"].get_color() != drawn["uniform"].get_color()
    assert drawn["bigram"].get_marker() != drawn["uniform"].get_marker()


def test_words_and_crowded_numbers_stand_side_by_side() -> None:
    axes = figure(study(point("lstm", 5.0), point("gru", 4.0), stands="elman")).axes[0]
    assert list(axes.lines[0].get_xdata()) == [0, 1]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["lstm", "gru"]
    assert {str(line.get_label()) for line in axes.lines} == {"bigram", "uniform"}
    near = figure(study(point(0.01, 5.0), point(0.02, 4.0), point(1.0, 4.0))).axes[0]
    assert list(near.lines[0].get_xdata()) == [0, 1, 2]  # the first two would overlap
    assert [label.get_text() for label in near.get_xticklabels()] == ["0.01", "0.02", "1.0"]


def test_what_is_left_out_and_what_has_settings_of_its_own_are_values_too(tmp_path: Path) -> None:
    noise = {"probability": 0.5, "least_snr": 5}
    found = study(point(None, 5.0), point(noise, 4.0), stands=None)
    axes = figure(found).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "null", "probability: 0.5\nleast_snr: 5"]
    assert [list(line.get_xdata()) for line in axes.lines
            if line.get_label() == "in params.yaml"] == [[0, 0]]
    path, _, page = write_study(Places(tmp_path), found)
    assert read_study(path)["points"] == found["points"]
    text = page.read_text()
    assert "| {least_snr: 5, probability: 0.5} |" in text
    assert "`unrolled study triphones 'tying.states=null,{least_snr: 5, probability: 0.5}'`" in text
    assert [one["value"] for one in with_point(found, "", point(noise, 3.0),
                                               [None, noise])["points"]] == [None, noise]


def test_one_is_another_value_than_true() -> None:
    assert point_of(study(point(True, 1.0)), 1) is None
    assert point_of(study(point(1, 1.0)), 1.0) == point(1, 1.0)


def test_the_page_has_a_line_for_each_value_and_names_the_best(tmp_path: Path) -> None:
    paths = write_study(Places(tmp_path), THREE)
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        "studies/asr/triphones.tying.states.json", "studies/asr/triphones.tying.states.svg",
        "studies/README.md"]
    text = paths[2].read_text()
    assert [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()
            if line.startswith("| ")][2:] == [
            ["100", "9.00 (8.00 to 11.00)", "20.00", "100", "2,000", "5,000"],
        ["150", "7.25 (6.25 to 9.25)", "20.00", "100", "2,000", "5,000"],
        ["400", "7.25 (6.25 to 9.25)", "20.00", "100", "2,000", "5,000"]]
    assert "Best: bigram: 150; uniform: 100." in text and "`params.yaml` had 150." in text
    assert "](asr/triphones.tying.states.svg)" in text
    assert "`unrolled study triphones tying.states=100,150,400`" in text
    assert best_of(THREE["points"], "bigram")["value"] == 150
    assert read_study(paths[0]) == THREE
    # Word errors of one speaker come together, which Wilson's interval does not know.
    assert "it is rather too narrow" in text


def answered() -> Study:
    """A study of a variant's setting, whose points know how long they took."""
    timed: list[Point] = [{**point(value, score), "seconds": seconds} for value, score, seconds in
                          ((1, 9.0, 0.5), (4, 7.0, 0.75), (16, 6.5, 30.0))]
    return {**study(*timed, stands=4), "system": "ctc", "setting": "variants.wide.beam"}


def test_a_variants_scores_stand_over_seconds_too() -> None:
    axes, beside = figure(answered()).axes
    assert [list(line.get_xdata()) for line in axes.lines[:2]] == [[1, 4, 16]] * 2
    for line, drawn in zip(beside.lines, axes.lines, strict=False):
        assert list(line.get_xdata()) == [0.5, 0.75, 30.0]
        assert list(line.get_ydata()) == list(drawn.get_ydata())
    assert {(text.get_text(), text.xy) for text in beside.texts} >= {
        ("1", (0.5, 9.0)), ("4", (0.75, 7.0)), ("16", (30.0, 6.5))}
    assert len(figure(THREE).axes) == 1


def test_a_page_says_of_a_variant_what_made_it_and_how_long_it_took(tmp_path: Path) -> None:
    write_study(Places(tmp_path), THREE)
    before = (tmp_path / "studies/README.md").read_text()
    page = write_study(Places(tmp_path), answered())[2].read_text()
    assert "`unrolled choose ctc:wide beam=1,4,16`" in page
    assert "`unrolled study triphones tying.states=100,150,400`" in page
    assert "| seconds |" in page and page.count("0.75 |") == 1 and " 30.00 |" in page
    assert "nothing is trained" in page and "nothing is trained" not in before


def test_a_point_takes_the_place_of_one_of_its_value() -> None:
    found = with_point(THREE, "WER (%)", point(150, 1.0), [])
    assert [one["value"] for one in found["points"]] == [100, 150, 400]
    assert found["points"][1]["scores"]["bigram"]["value"] == 1.0
    words = with_point(study(point("b", 1.0)), "WER (%)", point("a", 2.0), ["a", "b"])
    assert [one["value"] for one in words["points"]] == ["a", "b"]


def test_what_does_not_follow_from_a_study_is_named(tmp_path: Path) -> None:
    paths = write_study(Places(tmp_path), THREE)
    assert list(differences(tmp_path / "studies")) == []
    paths[0].write_text(paths[0].read_text().replace("7.25", "6.5", 1))
    found = list(differences(tmp_path / "studies"))
    assert len(found) == 2 and "svg is not what is drawn" in found[0] and "README.md" in found[1]
    paths[0].write_text("{}")
    with pytest.raises(UserError, match=r"tying\.states\.json"):
        read_study(paths[0])


@pytest.mark.parametrize("params", sorted(path.relative_to(ROOT).as_posix() for path in [
    ROOT / "params.yaml", *ROOT.glob("*/params.yaml")]))
def test_committed_studies_are_of_the_suites_systems_and_drawn_from_their_files(
        params: str) -> None:
    suite = load(ROOT / params)
    folder = suite.places.studies
    if not folder.is_dir():
        return
    assert list(differences(folder)) == []
    for path in folder.glob("*/*.json"):
        found = read_study(path)
        assert path.name == f"{found['system']}.{found['setting']}.json"
        assert path.parent.name == found["track"] == suite.track_of(found["system"])
        inner = suite.systems[found["system"]]
        for part in found["setting"].split("."):
            inner = inner[part]
        values = [point["value"] for point in found["points"]]
        assert not any(same(*pair) for pair in combinations(values, 2)) and len(values) > 1
