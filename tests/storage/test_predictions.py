"""Prediction files: one answer an item, none lost, none twice, no NaN."""

import gzip
import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.storage import predictions
from pipeline.storage.predictions import Number
from tests.damage import cut_byte, flip_bit
from tests.trials import trials


def test_predictions_come_back_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "plain.jsonl.gz"
    written = [{"id": "u2", "hypothesis": "größer\n\"x\""}, {"id": "u1", "forecast": [0.1, 2.0]}]
    predictions.write(path, iter(written))
    assert predictions.read(path) == written
    with gzip.open(path, "rt", encoding="utf-8") as file:
        assert [json.loads(line) for line in file] == written


def test_equal_predictions_are_equal_bytes(tmp_path: Path) -> None:
    predictions.write(tmp_path / "a.jsonl.gz", [{"id": "1", "x": 1, "y": 2}])
    predictions.write(tmp_path / "b.jsonl.gz", [{"y": 2, "x": 1, "id": "1"}])
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


@pytest.mark.parametrize(("bad", "reason"), [
    ([{"id": "1"}, {"id": "1"}], "two predictions for item '1'"),
    ([{"id": "1"}, {"id": "2", "forecast": [float("nan")]}], "not JSON compliant"),
])
def test_a_refused_prediction_leaves_no_file(tmp_path: Path, bad: list, reason: str) -> None:
    path = tmp_path / "plain.jsonl.gz"
    predictions.write(path, [{"id": "earlier"}])
    with pytest.raises(ValueError, match=reason):
        predictions.write(path, bad)
    assert predictions.read(path) == [{"id": "earlier"}]
    assert [file.name for file in tmp_path.iterdir()] == ["plain.jsonl.gz"]


@pytest.mark.parametrize(("line", "reason"), [
    ("{", "line 2: not valid JSON"), ("[1]", "line 2: a prediction is an object"),
    ('{"hypothesis": "x"}', "line 2: a prediction is an object with an 'id'"),
])
def test_a_line_that_is_no_prediction_is_named(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "plain.jsonl.gz"
    path.write_bytes(gzip.compress(f'{{"id": "1"}}\n{line}\n'.encode()))
    with pytest.raises(UserError, match=reason):
        predictions.read(path)


def test_aligned_puts_predictions_in_the_order_of_the_items() -> None:
    found = predictions.aligned([{"id": "b", "x": 1}, {"id": "a", "x": 2}], ["a", "b"])
    assert [prediction["x"] for prediction in found] == [2, 1]


def test_no_score_over_a_part_of_the_test_set_in_silence() -> None:
    with pytest.raises(UserError, match="1 items without a prediction, 0 .*example 'b'"):
        predictions.aligned([{"id": "a"}], ["a", "b"])
    with pytest.raises(UserError, match="0 items without a prediction, 1 .*example 'c'"):
        predictions.aligned([{"id": "a"}, {"id": "c"}], ["a"])


def packed(path: Path, *lines: str) -> Path:
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    return path


@pytest.mark.parametrize(("lines", "reason"), [
    (['{"id": "a"}', '{"id": "b"}', '{"id": "a"}'],
     "line 3: item 'a' has a prediction in line 1 already"),
    (['{"id": 1}'], "line 1: a prediction is an object with an 'id', which is text"),
    (['{"id": "a", "x": NaN}'], "line 1: not valid JSON .NaN is no number"),
    (['{"id": "a", "x": ' + "[" * 100_000], "line 1: not valid JSON"),
    (['{"id": "a", "x": ' + "1" * 10_000 + "}"], "line 1: not valid JSON"),
    (["{\"id\": \"a\"}", ""], "line 2: not valid JSON")])
def test_a_file_that_the_project_did_not_write_is_refused(tmp_path: Path, lines: list[str],
                                                          reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        predictions.read(packed(tmp_path / "plain.jsonl.gz", *lines))


def test_an_item_with_two_predictions_has_no_score() -> None:
    with pytest.raises(UserError, match="item 'b' has more than one prediction"):
        predictions.aligned([{"id": "a"}, {"id": "b"}, {"id": "b"}], ["a", "b"])


@pytest.mark.fuzz
@pytest.mark.parametrize("damage", [flip_bit, cut_byte])
def test_one_bit_or_byte_of_a_file_is_refused_or_changes_nothing(
        tmp_path: Path, damage: Callable[[Path, random.Random], None]) -> None:
    """A flipped bit of gzip's time stamp or name of a system changes no prediction."""
    path, chance = tmp_path / "plain.jsonl.gz", random.Random(0)
    written = [{"id": f"u{number}", "forecast": [number / 7, 2.5]} for number in range(20)]
    refused = 0
    for _ in range(trials(100, 20_000)):
        predictions.write(path, written)
        damage(path, chance)
        try:
            assert predictions.read(path) == written
        except UserError as error:
            assert str(path) in str(error)
            refused += 1
    assert refused > trials(75, 15_000)


@pytest.mark.parametrize(("kind", "good", "bad"), [
    (str, ["", "x"], [None, 1, ["x"], {}]),
    (Number, [0, 1.5, -3], [True, "1", None, [1], math.nan, math.inf, 1e200, 10**400]),
    (list[Number], [[], [1, 2.5]], [[True], "12", [[1]], [math.nan], [1, "2"], None]),
    (list[str], [[], ["a"]], ["ab", [1], [None], None])])
def test_an_answer_is_of_its_kind_and_nothing_is_converted(kind: Any, good: list,
                                                           bad: list) -> None:
    for value in good:
        assert predictions.answer_of({"id": "u1", "x": value}, "x", kind) == value
    for value in bad:
        with pytest.raises(UserError, match="prediction 'u1' has no 'x' of the kind"):
            predictions.answer_of({"id": "u1", "x": value}, "x", kind)
    with pytest.raises(UserError, match="prediction 'u1' has no 'x'; evaluate"):
        predictions.answer_of({"id": "u1"}, "x", kind)
