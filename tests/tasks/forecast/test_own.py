"""Series of one's own: forecast as in the suite where they are its own, anew where they are not."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.errors import UserError
from pipeline.running.answering import load_folder
from pipeline.storage.files import read_json, write_json
from pipeline.storage.seal import seal
from pipeline.suite.schema import load
from pipeline.systems.base import Run, System, system_class
from tests.conftest import ROOT
from tests.tasks.answers import answers, written
from tests.tasks.forecast.raw import write_raw
from tests.tasks.forecast.small_corpus import Features, twin

SUITE = load(ROOT / "params.yaml")
ROWS = [("yearly-statistical", "theta"), ("yearly-linear", None), ("yearly-esrnn", None),
        ("yearly-lstm", None)]


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Features:
    return twin(tmp_path_factory.mktemp("yearly"), "Yearly", series=10)


@pytest.fixture(scope="module")
def systems(features: Features) -> dict[str, System]:
    """A few yearly systems, trained for an epoch."""
    found = {}
    for key, _ in ROWS:
        settings = SUITE.system(key)
        if hasattr(settings, "training"):
            training = settings.training.model_copy(update={"epochs": 1})
            settings = settings.model_copy(update={"training": training})
        torch.manual_seed(1)
        found[key] = system_class("forecast", settings.model)(settings, features.spec)
        found[key].fit(features.fit, Run(1, features.fit.parent / "work" / key))
    return found


@pytest.mark.parametrize(("key", "variant"), ROWS)
def test_the_test_pasts_go_on_as_in_the_suite(key: str, variant: str | None, features: Features,
                                              systems: dict[str, System], tmp_path: Path) -> None:
    system = systems[key]
    files = write_raw(features.test, tmp_path, tmp_path)
    rows = answers(system, files, tmp_path / "model", variant)
    settings = system.settings.variants[variant] if variant else None
    expected = [(one, step) for one in system.predict(features.test, settings)
                for step in range(1, 7)]
    assert [(row["id"], row["step"]) for row in rows] == [
        (one["id"], step) for one, step in expected]
    for row, (one, step) in zip(rows, expected, strict=True):
        for name in ("forecast", "low", "high"):  # shown as decimals
            assert row[name] == pytest.approx(one[name][step - 1], rel=1e-6)
            assert len(repr(row[name])) <= 12


@pytest.mark.parametrize(("key", "variant"), ROWS)
def test_other_series_are_forecast_by_their_own_pasts(key: str, variant: str | None,
                                                      systems: dict[str, System],
                                                      tmp_path: Path) -> None:
    """One of them has the name of a series of the suite, which says nothing."""
    lines = ["\ufeffid,time,value"]
    for year in range(2000, 2025):
        lines += [f"Y1,{year}-06-30,{1.05 ** (year - 2000) * 40}", f"flat,{year}-06-30,7"]
    file = written(tmp_path / "own.csv", "\r\n".join(lines))
    rows = answers(systems[key], [file], tmp_path / "model", variant)
    assert [(row["file"], row["id"], row["step"]) for row in rows] == [
        (str(file), name, step) for name in ("Y1", "flat") for step in range(1, 7)]
    assert all(row["low"] <= row["forecast"] <= row["high"] for row in rows)
    assert 70 < rows[0]["forecast"] < 250
    assert 3 < rows[6]["forecast"] < 14


def test_a_system_of_an_earlier_version_is_refused(systems: dict[str, System],
                                                   tmp_path: Path) -> None:
    """It knows its series as a whole alone, and would forecast them as any other."""
    systems["yearly-linear"].save(tmp_path / "model")
    record = read_json(tmp_path / "model/system.json")
    record["spec"]["pasts"] = "0" * 64
    write_json(tmp_path / "model/system.json", record)
    seal(tmp_path / "model")
    with pytest.raises(UserError, match="one of another version .*; train the system again"):
        load_folder(tmp_path / "model")


def test_forecasts_carry_the_times_that_come_next(systems: dict[str, System],
                                                  tmp_path: Path) -> None:
    file = written(tmp_path / "own.csv", "id,time,value\n" + "".join(
        f"a,{year}-02-{28 + (year % 4 == 0)},{year - 1990}\nb,{year}-12-31,3\n"
        for year in range(2001, 2010)))
    rows = answers(systems["yearly-linear"], [file], tmp_path / "model")
    assert [row["time"] for row in rows] == [
        "2010-02-28", "2011-02-28", "2012-02-29", "2013-02-28", "2014-02-28", "2015-02-28",
        *(f"{year}-12-31" for year in range(2010, 2016))]
    file = written(tmp_path / "own.csv", "id,time,value\na,2001-01,1\na,2001-02,2\na,2001-03,3\n")
    with pytest.raises(UserError, match="1 month apart, and this system .* 1 year apart"):
        answers(systems["yearly-linear"], [file], tmp_path / "model")


def test_small_steps_of_large_numbers_are_seen(systems: dict[str, System],
                                               tmp_path: Path) -> None:
    file = written(tmp_path / "own.csv", "id,time,value\n" + "".join(
        f"a,{time},{123_456_789 + 3 * time}\n" for time in range(30)))
    rows = answers(systems["yearly-statistical"], [file], tmp_path / "model", "naive")
    assert [row["forecast"] for row in rows] == [123_456_876.0] * 6
    assert rows[0]["high"] == pytest.approx(123_456_876 + 1.959964 * 3, abs=0.06)
    assert str(rows[0]["forecast"]) == "123456876.0"


@pytest.mark.parametrize(("content", "message"), [
    ("", "own.csv is empty"),
    ("id,time\na,1\n", "own.csv, line 1: no column 'value'"),
    ("id,time,value\na,1,2\na,2,3\n",
     "own.csv, line 3: series 'a' ends after 2 points; a forecast needs 3"),
    ("id,time,value\na,1,nan\n", "own.csv, line 2: value 'nan' is no finite number"),
    ("id,time,value\na,1,2\na,2,3\na,3,-3\n",
     "own.csv, line 4: series 'a of .*own.csv' has values that are not positive"),
])
def test_what_cannot_be_forecast_is_named(content: str, message: str, systems: dict[str, System],
                                          tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        answers(systems["yearly-linear"], [written(tmp_path / "own.csv", content)],
                tmp_path / "model")


def test_files_are_answered_one_after_the_other(systems: dict[str, System],
                                                tmp_path: Path) -> None:
    series = "".join(f"a,{time},{time * time + 5}\n" for time in range(9))
    files = [written(tmp_path / name, f"id,time,value\n{series}") for name in ("b.csv", "a.csv")]
    rows = answers(systems["yearly-linear"], files, tmp_path / "model")
    assert [row["file"] for row in rows] == [str(file) for file in files for _ in range(6)]
    assert np.array_equal([row["forecast"] for row in rows[:6]],
                          [row["forecast"] for row in rows[6:]])
