"""Prediction files: one answer an item, none lost, none twice, no NaN."""

import json
import math
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.storage import predictions
from pipeline.storage.parquet import write_table
from pipeline.storage.predictions import Number
from tests.damage import cut_byte, flip_bit, refused_when_damaged
from tests.trials import trials

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
SCALARS = [TEXT, st.booleans(), st.integers(-2**63 + 1, 2**63 - 1),
           st.floats(allow_nan=False, allow_infinity=False)]


def lists_or_objects(inner: st.SearchStrategy) -> st.SearchStrategy:
    """Makers of strategies: each draws values of one kind, made of those that `inner` makes."""
    return st.one_of(
        inner.map(lambda kind: st.lists(kind, max_size=3)),
        st.dictionaries(TEXT, inner, min_size=1, max_size=3).map(
            lambda kinds: st.fixed_dictionaries({}, optional=kinds).filter(bool)))


KINDS = st.recursive(st.sampled_from(SCALARS), lists_or_objects, max_leaves=4)


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Predictions whose keys are each of one kind and may be lacking."""
    kinds = draw(st.dictionaries(TEXT, KINDS, max_size=4))
    kinds.pop("id", None)
    others = draw(st.lists(st.fixed_dictionaries({}, optional=kinds), max_size=6))
    return [{"id": f"u{number}", **row} for number, row in enumerate(others)]


@pytest.mark.fuzz
@given(rows())
def test_values_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory,
                                       written: list[dict[str, Any]]) -> None:
    """As JSON: 1 is not 1.0, -0.0 not 0.0, and a key that is lacking is not null."""
    path = tmp_path_factory.mktemp("rows") / "plain.parquet"
    predictions.write(path, written)
    assert json.dumps(predictions.read(path), sort_keys=True) == json.dumps(written, sort_keys=True)
    shutil.rmtree(path.parent)


def test_predictions_come_back_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "plain.parquet"
    written = [{"id": "u2", "hypothesis": "größer\n\"x\""}, {"id": "u1", "forecast": [0.1, 2.0]}]
    predictions.write(path, iter(written))
    assert predictions.read(path) == written


def test_pandas_and_duckdb_read_them_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "plain.parquet"
    predictions.write(path, [{"id": "a", "nll": [0.5, 1.5], "p": {"x": 0.25}, "tags": ["N", "V"]},
                             {"id": "b", "nll": [], "p": {"x": 0.75}}])
    assert pd.read_parquet(path)["nll"].map(sum).tolist() == [2.0, 0.0]
    assert duckdb.sql(f"select id, list_sum(nll), p.x, tags from '{path}'").fetchall() == [
        ("a", 2.0, 0.25, ["N", "V"]), ("b", None, 0.75, None)]


def test_equal_predictions_are_equal_bytes(tmp_path: Path) -> None:
    predictions.write(tmp_path / "a.parquet", [{"id": "1", "x": 1, "y": 2}])
    predictions.write(tmp_path / "b.parquet", [{"y": 2, "x": 1, "id": "1"}])
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


@pytest.mark.parametrize(("bad", "reason"), [
    ([{"id": "1"}, {"id": "1"}], "two predictions for item '1'"),
    ([{"id": 1}, {"id": 2}], "each prediction needs an 'id', which is text"),
    ([{"id": "1"}, {"id": "2", "forecast": [math.nan]}], "forecast, an element is no finite numb"),
    ([{"id": "1", "x": math.inf}], "x is no finite number"),
    ([{"id": "1", "x": 1}, {"id": "2", "x": 1.5}], "x is of several kinds: a number and a whole n"),
    ([{"id": "1", "x": {"y": [1]}}, {"id": "2", "x": {"y": ["1"]}}],
     "x.y, an element is of several kinds: a whole number and text"),
    ([{"id": "1", "x": True}, {"id": "2", "x": 1}], "x is of several kinds: a whole num"),
    ([{"id": "1", "x": None}], "x is nothing, which no table holds; leave the key out"),
    ([{"id": "1", "x": {}}], "x is an object without keys in all rows"),
    ([{"id": "1", "x": {1: 2}}], "x is an object with a key that is not text"),
    ([{"id": "1", "x": 2**63}], "x is beyond 64 bits"),
    ([{"id": "1", "x": "\ud800"}], "surrogates not allowed")])
def test_a_refused_prediction_leaves_no_file(tmp_path: Path, bad: list, reason: str) -> None:
    path = tmp_path / "plain.parquet"
    predictions.write(path, [{"id": "earlier"}])
    with pytest.raises(ValueError, match=reason):
        predictions.write(path, bad)
    assert predictions.read(path) == [{"id": "earlier"}]
    assert [file.name for file in tmp_path.iterdir()] == ["plain.parquet"]


def test_aligned_puts_predictions_in_the_order_of_the_items() -> None:
    found = predictions.aligned([{"id": "b", "x": 1}, {"id": "a", "x": 2}], ["a", "b"])
    assert [prediction["x"] for prediction in found] == [2, 1]


def test_no_score_over_a_part_of_the_test_set_in_silence() -> None:
    with pytest.raises(UserError, match="1 items without a prediction, 0 .*example 'b'"):
        predictions.aligned([{"id": "a"}], ["a", "b"])
    with pytest.raises(UserError, match="0 items without a prediction, 1 .*example 'c'"):
        predictions.aligned([{"id": "a"}, {"id": "c"}], ["a"])


@pytest.mark.parametrize(("columns", "reason"), [
    ({"id": ["a", "b", "a"]}, "plain.parquet: item 'a' has 2 predictions"),
    ({"id": [1]}, "plain.parquet holds no predictions: each has an 'id', which is text"),
    ({"id": ["a", None]}, "plain.parquet holds no predictions"),
    ({"x": ["a"]}, "plain.parquet holds no predictions"), ({}, "plain.parquet holds no pred")])
def test_a_table_that_holds_no_predictions_is_refused(tmp_path: Path, columns: dict,
                                                      reason: str) -> None:
    write_table(tmp_path / "plain.parquet", pa.table(columns))
    with pytest.raises(UserError, match=reason):
        predictions.read(tmp_path / "plain.parquet")


def test_a_file_that_the_project_did_not_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plain.parquet"
    with pytest.raises(UserError, match="plain.parquet does not exist"):
        predictions.read(path)
    pd.DataFrame({"id": ["a"]}).to_parquet(path)
    for content in (path.read_bytes(), b"", b"PAR1", 20 * b"PAR1", b"\xff" * 100):
        path.write_bytes(content)
        with pytest.raises(UserError, match="plain.parquet is damaged: it is not the file that"):
            predictions.read(path)


def test_an_item_with_two_predictions_has_no_score() -> None:
    with pytest.raises(UserError, match="item 'b' has more than one prediction"):
        predictions.aligned([{"id": "a"}, {"id": "b"}, {"id": "b"}], ["a", "b"])


@pytest.mark.fuzz
@pytest.mark.parametrize("damage", [flip_bit, cut_byte])
def test_one_bit_or_byte_of_a_file_is_refused(
        tmp_path: Path, damage: Callable[[Path, random.Random], None]) -> None:
    path = tmp_path / "plain.parquet"
    predictions.write(path, [{"id": f"u{n}", "forecast": [n / 7, 2.5]} for n in range(20)])
    refused_when_damaged(path, predictions.read, damage, trials(60, 20_000))


def test_a_file_that_is_cut_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plain.parquet"
    predictions.write(path, [{"id": "a", "hypothesis": "x"}])
    good = path.read_bytes()
    for length in {*range(0, len(good), 23), *range(len(good) - 12, len(good))}:
        path.write_bytes(good[:length])
        with pytest.raises(UserError, match=f"{path} is damaged"):
            predictions.read(path)


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
