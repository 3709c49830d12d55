"""Which items are shown, what is said of an answer, and how charts scale."""

import json

import numpy as np
import pytest

from pipeline.site import charts
from pipeline.site.answers import Part, shown
from pipeline.site.items import Item
from pipeline.site.samples import chosen


def test_items_stand_evenly_and_where_rows_differ_most() -> None:
    scores = np.zeros((3, 100))
    scores[1, [7, 40, 41]] = [5.0, 3.0, 4.0]
    scores[:, 60] = np.nan
    assert chosen(scores, 6) == [0, 7, 40, 41, 49, 99]
    assert chosen(scores[:, :5], 6) == [0, 1, 2, 3, 4]


def test_words_that_the_reference_has_not_are_marked() -> None:
    item = Item(right=["the cat sat on the mat"])
    said = shown({"id": "1", "hypothesis": "the dog sat on mat"}, item)
    assert said.parts == [Part("the"), Part("dog", True), Part("sat"), Part("on"), Part("mat")]
    assert shown({"id": "1", "hypothesis": " "}, item).parts == [Part("(nothing)")]
    assert shown({"id": "1", "hypothesis": "a b"}, None).parts == [Part("a b")]


def test_tags_stand_with_their_words_and_wrong_ones_are_marked() -> None:
    item = Item(right=["DT NN"], units=["the", "dog"])
    assert shown({"id": "1", "tags": ["DT", "VB"]}, item).parts == [
        Part("the/DT"), Part("dog/VB", True)]


@pytest.mark.parametrize("right, wrong", [("good", False), ("bad", True)])
def test_the_likeliest_class_is_the_answer(right: str, wrong: bool) -> None:
    said = shown({"id": "1", "probabilities": {"bad": 0.2, "good": 0.75, "so": 0.05}},
                 Item(right=[right]))
    assert said.parts == [Part("good 75 %", wrong)]
    assert said.note == "bad 20 %, so 5 %"


def test_surprise_is_named_by_its_word() -> None:
    said = shown({"id": "1", "nll": [0.5, 7.25, 1.0]}, Item(units=["the", "ox", "</s>"]))
    assert [value for value, _ in said.bars] == [0.5, 7.25, 1.0]
    assert "“ox”, 7.2 nats" in said.note
    assert "at position 2" in shown({"id": "1", "nll": [0.5, 7.25]}, None).note


def test_an_unknown_answer_is_shown_as_it_stands() -> None:
    assert shown({"id": "1", "moves": [1, 2]}, None).parts == [Part('{"moves": [1, 2]}')]
    assert shown({"id": "1"}, None).parts == [Part("no answer")]


def test_an_axis_is_logarithmic_over_more_than_a_decade_and_rows_look_different() -> None:
    points = [{"row": f"r{place}", "cost": 10.0**place, "value": 90.0 + place, "text": "",
               "spent": ""} for place in range(20)]
    spec = charts.cost(points, "seconds", "bleu", "higher is better")
    assert spec["encoding"]["x"]["scale"]["type"] == "log"
    assert "type" not in spec["encoding"]["y"]["scale"]
    shapes = spec["encoding"]["shape"]["scale"]["range"]
    looks = [(place % 8, shape) for place, shape in enumerate(shapes)]
    assert len(set(looks)) == len(looks) == 20
    json.dumps(spec, allow_nan=False)


def test_what_came_has_a_layer_of_its_own_that_begins_in_the_past() -> None:
    spec = charts.forecasts({"a": [3.0, 4.0]}, {}, [1.0, 2.0, 2.5, 3.5], past=2)
    truth = spec["layer"][-1]["data"]["values"]
    assert [point["time"] for point in truth] == [-1, 0, 1, 2]
    assert [point["time"] for point in spec["data"]["values"]] == [1, 2]
    assert len(spec["layer"]) == 2
