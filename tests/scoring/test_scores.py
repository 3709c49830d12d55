"""Additive statistics and the formulas over their sums."""

import math
import random
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.scoring.scores import ItemStatistics, Metric, percentage, perplexity, ratio
from pipeline.storage.parquet import write_table
from tests.damage import cut_byte, flip_bit, refused_when_damaged
from tests.trials import trials


def test_a_score_is_a_function_of_sums_not_a_mean_of_item_scores() -> None:
    statistics = ItemStatistics(["a", "b"], {"errors": np.array([1.0, 0.0]),
                                             "words": np.array([2.0, 8.0])})
    wer = Metric("lower", ("errors", "words"), percentage, "")
    assert statistics.score(wer) == 10.0  # the mean of the utterances' WERs would be 25


def test_formulas_by_hand() -> None:
    sums = np.array([[3.0, 12.0], [0.0, 5.0]])
    assert ratio(sums).tolist() == [0.25, 0.0]
    assert percentage(sums).tolist() == [25.0, 0.0]
    # A uniform model over 50 words: 10 tokens of log 50 each.
    assert perplexity(np.array([10 * math.log(50), 10])) == pytest.approx(50)


@pytest.mark.parametrize("formula", [ratio, percentage, perplexity])
def test_no_score_without_terms(formula) -> None:
    assert math.isnan(formula(np.array([3.0, 0.0])))
    assert math.isnan(formula(np.array([0.0, 0.0])))


def test_formulas_are_vectorised_over_leading_axes() -> None:
    sums = np.arange(1.0, 25.0).reshape(3, 4, 2)
    for formula in (ratio, percentage, perplexity):
        found = formula(sums)
        assert found.shape == (3, 4)
        assert found[1, 2] == formula(sums[1, 2])


def test_columns_are_taken_in_the_metrics_order() -> None:
    statistics = ItemStatistics(["a"], {"x": np.array([1.0]), "y": np.array([2.0])})
    assert statistics.table(("y", "x")).tolist() == [[2.0, 1.0]]


def test_a_column_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"column 'x': expected shape \(2,\), got \(1,\)"):
        ItemStatistics(["a", "b"], {"x": np.array([1.0])})


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1),
                          st.floats(allow_nan=False, allow_infinity=False)), max_size=8,
                unique_by=lambda row: row[0]))
def test_a_file_gives_back_exactly_what_was_written(tmp_path_factory, rows) -> None:
    path = tmp_path_factory.mktemp("items") / "items.parquet"
    written = ItemStatistics([name for name, _ in rows],
                             {"b": np.array([value for _, value in rows], np.float64),
                              "a": np.arange(float(len(rows)))},
                             [f"group {n // 2}" for n in range(len(rows))])
    written.write(path)
    found = ItemStatistics.read(path)
    assert (found.ids, found.groups) == (written.ids, written.groups)
    assert list(found.columns) == ["a", "b"]
    for name in ("a", "b"):
        np.testing.assert_array_equal(found.columns[name], written.columns[name])


def test_equal_statistics_are_equal_bytes(tmp_path: Path) -> None:
    for name, order in (("first", ("x", "y")), ("second", ("y", "x"))):
        ItemStatistics(["a"], {column: np.array([0.1]) for column in order}).write(tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


@pytest.mark.parametrize("columns", [
    {}, {"id": ["a"], "x": [1.0]}, {"id": ["a"], "group": ["a"], "x": ["one"]},
    {"id": [1], "group": ["a"]}, {"id": ["a"], "group": [None]}, {"id": ["a"], "group": [1.0]},
    {"id": ["a"], "group": ["a"], "x": [None]}, {"id": ["a"], "group": ["a"], "x": [[1.0]]}])
def test_a_table_of_something_else_is_a_users_error(tmp_path: Path, columns: dict) -> None:
    write_table(tmp_path / "items.parquet", pa.table(columns))
    with pytest.raises(UserError, match="items.parquet holds no item statistics"):
        ItemStatistics.read(tmp_path / "items.parquet")


@pytest.mark.fuzz
@pytest.mark.parametrize("damage", [flip_bit, cut_byte])
def test_damaged_statistics_are_a_users_error(
        tmp_path: Path, damage: Callable[[Path, random.Random], None]) -> None:
    path = tmp_path / "items.parquet"
    ItemStatistics(["a", "b"], {"x": np.array([0.5, 1 / 3])}, ["one", "one"]).write(path)
    refused_when_damaged(path, ItemStatistics.read, damage, trials(30, 20_000))


def test_pandas_and_duckdb_read_them_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "plain.items.parquet"
    statistics = ItemStatistics(["a", "b"], {"words": np.array([2.0, 3.0]),
                                             "errors": np.array([0.0, 1.0])}, ["s1", "s2"])
    statistics.write(path)
    assert pd.read_parquet(path).to_dict("list") == {
        "id": ["a", "b"], "group": ["s1", "s2"], "errors": [0.0, 1.0], "words": [2.0, 3.0]}
    assert duckdb.sql(f"select sum(errors) / sum(words) from '{path}'").fetchall() == [(0.2,)]


def test_statistics_in_single_precision_take_four_bytes_and_give_the_files_score(
        tmp_path: Path) -> None:
    """The score is that of the file; another precision of it does not matter to a millionth."""
    nats = np.random.default_rng(0).gamma(2, 2, 3000)
    exact = ItemStatistics(list(map(str, range(3000))), {"nats": nats, "tokens": np.ones(3000)})
    metric = Metric("lower", ("nats", "tokens"), perplexity, "")
    single = exact.in_single()
    single.write(tmp_path / "single")
    exact.write(tmp_path / "exact")
    assert ItemStatistics.read(tmp_path / "single").score(metric) == single.score(metric)
    assert single.score(metric) == pytest.approx(exact.score(metric), rel=1e-6)
    kinds = pq.read_schema(tmp_path / "single")
    assert kinds.field("nats").type == kinds.field("tokens").type == pa.float32()
    assert pq.read_schema(tmp_path / "exact").field("nats").type == pa.float64()


def test_what_single_precision_does_not_reach_stays_double() -> None:
    columns = {"large": np.array([1e39, 0.1]), "small": np.array([1e-39, 0.1]),
               "odd": np.array([np.nan, 0.1]), "none": np.array([np.inf, 0.0])}
    found = ItemStatistics(["a", "b"], columns).in_single().columns
    for name in ("large", "small", "none"):
        np.testing.assert_array_equal(found[name], columns[name])
    np.testing.assert_array_equal(found["odd"], [np.nan, float(np.float32(0.1))])


def test_a_statistic_with_a_name_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a statistic cannot be called 'group'"):
        ItemStatistics(["a"], {"group": np.array([1.0])}).write(tmp_path / "items")
    assert not list(tmp_path.iterdir())


def test_missing_statistics_are_a_users_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        ItemStatistics.read(tmp_path / "nothing.parquet")


def test_the_nearer_score_is_better_where_there_is_a_target() -> None:
    coverage = Metric("nearer", ("inside", "all"), percentage, "", target=95.0)
    assert coverage.gain(96.0, 90.0) == 4
    assert coverage.gain(np.array([99.0, 95.0]), 93.0).tolist() == [-2, 2]
    assert coverage.preference == "nearer to 95 is better"
    assert Metric("lower", ("a",), ratio, "").preference == "lower is better"


def test_an_item_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plain.items.parquet"
    write_table(path, pa.table({"id": ["a", "b", "a"], "group": ["a", "b", "a"]}))
    with pytest.raises(UserError, match="an item stands there twice"):
        ItemStatistics.read(path)
