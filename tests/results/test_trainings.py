"""The trainings behind a row: those of the version that its metrics file states, and no others."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.results.trainings import records_of, rows_named, trainings_of
from pipeline.scoring.scores import ItemStatistics
from pipeline.storage.files import read_json, write_json
from pipeline.suite.schema import Suite
from tests.toy_suite import VERSION, toy_suite, write_results, write_seeds


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    found = toy_suite(tmp_path, seed=2)
    write_results(found)
    write_seeds(found, "network", [1.0, 2.0])
    return found


def test_the_suites_own_seed_comes_first_and_from_the_predictions(suite: Suite) -> None:
    found = trainings_of(suite, "yearly", "network")
    assert (found.system, found.seeds, found.deterministic) == ("network", [2, 3, 4], False)
    assert [one.columns["smape"].mean() for one in found.statistics] == [5.0, 6.0, 7.0]


def test_seeds_come_in_the_order_of_their_numbers(suite: Suite) -> None:
    write_seeds(suite, "network", [float(shift) for shift in range(10)])
    assert trainings_of(suite, "yearly", "network").seeds == list(range(2, 13))


def test_another_version_is_not_measured(suite: Suite) -> None:
    metrics = suite.places.metrics("yearly", "network")
    write_json(metrics, read_json(metrics) | {"version": "f" * 16})
    assert trainings_of(suite, "yearly", "network").seeds == [2]
    assert records_of(suite, "yearly", "network") == {}


def test_a_row_that_nobody_measured_has_its_own_training(suite: Suite) -> None:
    found = trainings_of(suite, "yearly", "smooth:holt")
    assert (found.seeds, found.deterministic) == ([2], True)


def test_a_training_whose_record_was_not_written_does_not_count(suite: Suite) -> None:
    suite.places.seed_record("yearly", "network", "", VERSION, 4).unlink()
    assert trainings_of(suite, "yearly", "network").seeds == [2, 3]


def test_a_record_without_its_statistics_is_an_error(suite: Suite) -> None:
    path = suite.places.seed_items("yearly", "network", "", VERSION, 3)
    items = ItemStatistics.read(path)
    path.unlink()
    with pytest.raises(UserError, match=f"{path.name} does not exist"):
        trainings_of(suite, "yearly", "network")
    ItemStatistics([f"other {one}" for one in items.ids], items.columns).write(path)
    with pytest.raises(UserError, match=f"{path.name} has statistics of other test items"):
        trainings_of(suite, "yearly", "network")


def test_a_contrasts_rows_are_named_by_its_claim() -> None:
    claim = toy_suite(claim={"worse": ["smooth:ses"], "contrast": {
        "better": "smooth:holt", "worse": "smooth:ses"}}).claims[0]
    assert rows_named(claim) == ["network", "smooth:ses", "smooth:holt"]
