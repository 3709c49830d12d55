"""Additive statistics and the formulas over their sums."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.scoring.scores import ItemStatistics, Metric, percentage, perplexity, ratio
from pipeline.storage.files import write_gzip_lines


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
    path = tmp_path_factory.mktemp("items") / "items.csv.gz"
    written = ItemStatistics([name for name, _ in rows],
                             {"b": np.array([value for _, value in rows]),
                              "a": np.arange(float(len(rows)))})
    written.write(path)
    found = ItemStatistics.read(path)
    assert found.ids == written.ids and list(found.columns) == ["a", "b"]
    for name in ("a", "b"):
        np.testing.assert_array_equal(found.columns[name], written.columns[name])


def test_equal_statistics_are_equal_bytes(tmp_path: Path) -> None:
    for name, order in (("first", ("x", "y")), ("second", ("y", "x"))):
        ItemStatistics(["a"], {column: np.array([0.1]) for column in order}).write(tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


@pytest.mark.parametrize("lines", [[], ["id,x", "a"], ["id,x", "a,one"], ["id,x", "a,1", "b,1,2"]])
def test_damaged_statistics_are_a_users_error(tmp_path: Path, lines: list[str]) -> None:
    write_gzip_lines(tmp_path / "items.csv.gz", lines)
    with pytest.raises(UserError, match="items.csv.gz holds no item statistics"):
        ItemStatistics.read(tmp_path / "items.csv.gz")


def test_missing_statistics_are_a_users_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        ItemStatistics.read(tmp_path / "nothing.csv.gz")


def test_the_nearer_score_is_better_where_there_is_a_target() -> None:
    coverage = Metric("nearer", ("inside", "all"), percentage, "", target=95.0)
    assert coverage.gain(96.0, 90.0) == 4
    assert coverage.gain(np.array([99.0, 95.0]), 93.0).tolist() == [-2, 2]
    assert coverage.preference == "nearer to 95 is better"
    assert Metric("lower", ("a",), ratio, "").preference == "lower is better"


def test_an_item_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plain.items.csv.gz"
    write_gzip_lines(path, ["id,errors", "a,1.0", "b,2.0", "a,1.0"])
    with pytest.raises(UserError, match="an item stands there twice"):
        ItemStatistics.read(path)
