"""Prediction files: one answer an item, none lost, none twice, no NaN."""

import gzip
import json
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.storage import predictions


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
