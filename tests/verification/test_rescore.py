"""Scoring again what can be scored, and saying of the rest why it cannot."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.provenance.inputs import write_inputs
from pipeline.running.evaluation import evaluate_system
from pipeline.running.fitting import train_system
from pipeline.suite.schema import Suite, load
from pipeline.verification.rescore import rescore_suite
from tests.toy_project import REAL, make_project

SECOND = ("  second: {track: yearly, model: statistical, ets: ZZZ, "
          "variants: {holt: {method: holt}}}\nclaims:")


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Suite:
    """A project with two systems that are trained and evaluated."""
    folder = make_project(tmp_path_factory.mktemp("rescore") / "project", root)
    (folder / "real/params.yaml").write_text(REAL.replace("claims:", SECOND, 1))
    suite = load(folder / "real/params.yaml")
    write_inputs(suite)
    train_system(suite.places, "second", suite.places)
    evaluate_system(suite.places, "second", suite.places)
    return suite


def test_a_damaged_file_of_one_system_leaves_the_others_to_be_scored(
        suite: Suite, capsys: pytest.CaptureFixture[str]) -> None:
    answers = suite.places.answers("yearly", "simple", "naive")
    good = answers.read_bytes()
    answers.write_bytes(good[:100])
    try:
        with pytest.raises(UserError, match=r"1 of 2 systems could not be scored; \S+naive\.parq"):
            rescore_suite(suite.places.params, [])
    finally:
        answers.write_bytes(good)
    told = capsys.readouterr().out
    assert "scoring the predictions of second" in told
    assert "VERIFIED: compared 1 prediction files scored again; 0 differences, 1 things not" in told
    assert "simple: its predictions could not be scored" in told


def test_without_features_the_remedy_is_told_once(suite: Suite) -> None:
    test = suite.places.test("yearly")
    test.rename(test.with_name("away"))
    try:
        with pytest.raises(UserError, match="2 of 2 systems could not be scored") as caught:
            rescore_suite(suite.places.params, [])
    finally:
        test.with_name("away").rename(test)
    assert str(caught.value).count("run 'dvc repro --single-item real/dvc.yaml:features@") == 1
