"""Seed spread: what is kept, merged and proposed."""

import statistics
from pathlib import Path

import pytest

from pipeline.commands.spread import measure, measure_all, merged, proposals, three_deviations
from pipeline.provenance.inputs import write_inputs
from pipeline.storage.files import read_json, write_json
from pipeline.suite.schema import load
from tests.toy_project import make_project
from tests.toy_suite import toy_suite, write_results


def test_three_sample_deviations_of_the_row_that_moves_most() -> None:
    rows = {"a": {"owa": [1.0, 2.0, 3.0]}, "b": {"owa": [1.0, 1.0, 1.0]},
            "c": {"owa": [1.0, 1.0, 1.3], "smape": [0.0, 100.0]}}
    assert three_deviations(rows, "owa") == pytest.approx(3.0)
    assert three_deviations(rows, "smape") == pytest.approx(3 * statistics.stdev([0, 100]))


def test_one_seed_measures_nothing() -> None:
    assert three_deviations({"a": {"owa": [1.0]}}, "owa") is None
    assert three_deviations({}, "owa") is None


def test_the_suites_own_seed_is_taken_from_its_results(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path)
    write_results(suite)
    found = measure(suite, "smooth", [suite.seed])
    assert set(found) == {"smooth:ses", "smooth:holt"}
    assert found["smooth:holt"]["smape"] == [9.0]


def test_new_measurements_replace_their_rows_and_removed_systems_go() -> None:
    earlier = {"yearly": {"network": {"owa": [1.0, 2.0]}, "gone": {"owa": [1.0]}},
               "no-track": {"x": {}}}
    new = {"yearly": {"smooth:ses": {"owa": [1.0, 1.0]}}}
    assert merged(toy_suite(), earlier, new) == {
        "yearly": {"smooth:ses": {"owa": [1.0, 1.0]}, "network": {"owa": [1.0, 2.0]}}}
    assert merged(toy_suite(), earlier, {"yearly": {"network": {"owa": [3.0]}}}) == {
        "yearly": {"network": {"owa": [3.0]}}}


def test_tolerances_are_proposed_for_measured_tracks_only() -> None:
    measured = {"yearly": {"network": {"owa": [0.5, 0.6, 0.7]}}}
    assert list(proposals(toy_suite(), measured)) == [
        "tracks.yearly.tolerance: 0.3  (owa; now 0.05)"]
    assert list(proposals(toy_suite(), {})) == [
        "tracks.yearly.tolerance: not measured, stays 0.05"]


def test_further_seeds_are_trained_once_and_kept(tmp_path: Path, root: Path) -> None:
    folder = make_project(tmp_path / "project", root)
    suite = load(folder / "real" / "params.yaml")
    first = measure(suite, "simple", [1, 2])
    assert set(first) == {"simple:naive", "simple:snaive"}
    for metrics in first.values():  # the naive forecast knows no chance
        assert all(len(values) == 2 and values[0] == values[1] for values in metrics.values())

    [record] = (folder / "work/spread/real").iterdir()
    kept = read_json(record)
    kept["simple:naive"]["smape"] = 77.0
    write_json(record, kept)
    assert measure(suite, "simple", [1, 2])["simple:naive"]["smape"][1] == 77.0

    measure_all(suite, suite.places.spread, ["simple"], [1, 2], jobs=2)
    assert read_json(suite.places.spread)["yearly"]["simple:naive"]["smape"][1] == 77.0

    # Another version of the system is another measurement.
    changed = suite.model_copy(update={"systems": {"simple": suite.systems["simple"] | {
        "ets": "ANN"}}})
    write_inputs(changed)
    measure(changed, "simple", [1, 2])
    assert len(list((folder / "work/spread/real").iterdir())) == 2
