"""What a page says of a row by itself: its settings in words, its commands, what stands behind it.
"""

from pathlib import Path
from typing import Any

import pytest

from pipeline.scoring.scores import Metric
from pipeline.site.code import Library
from pipeline.site.details import Detail, detail_of
from pipeline.tasks.forecast.scoring import METRICS
from tests.conftest import ROOT
from tests.toy_suite import toy_suite, write_results

SYSTEM: dict[str, Any] = {
    "track": "yearly", "model": "esrnn", "settings_tried": 2, "lookbacks": [4, 2], "season": None,
    "none": [], "training": {"epochs": 3, "tied": False},
    "variants": {"slow": {"beam": 5}, "fast": {"beam": 1}}}


def detail(folder: Path, evidence: dict[str, Any], **changes: Any) -> Detail:
    suite = toy_suite(folder, systems={"network": SYSTEM}, **changes)
    board: Any = {"track": "yearly", "metric": "owa"}
    row: Any = {"system": "network:slow", "value": 0.5, "evidence": evidence}
    metric: Metric = METRICS["owa"]
    return detail_of(suite, board, row, Library(ROOT), metric)


def test_settings_are_those_of_the_system_and_of_the_rows_own_variant(tmp_path: Path) -> None:
    found = detail(tmp_path, {"kind": "ci"})
    assert list(found.settings) == [
        ("model", "esrnn"), ("lookbacks", "4, 2"), ("season", "none"), ("none", "none"),
        ("training.epochs", "3"), ("training.tied", "no"), ("answers: beam", "5")]
    assert (found.anchor, found.summary) == ("row-network.slow", "owa 0.500")
    assert found.model is not None and found.model.name.endswith("forecast.systems.esrnn")


@pytest.mark.parametrize(("of", "address", "option"), [
    ({}, "evaluate@network", ""),
    ({"root": "..", "suite": "real/"}, "real/dvc.yaml:evaluate@network", " --suite real")])
def test_commands_can_be_typed_as_they_stand(tmp_path: Path, of: dict[str, str], address: str,
                                             option: str) -> None:
    found = [command for _, command in detail(tmp_path, {"kind": "ci"}, **of).commands]
    assert found == [f"dvc repro {address}", f"unrolled spread network{option}",
                     f"unrolled predict network:slow mine.csv{option}"]


def test_a_row_says_what_stands_behind_it(tmp_path: Path) -> None:
    assert detail(tmp_path, {"kind": "ci"}).evidence.startswith("Continuous integration trains it")
    assert detail(tmp_path, {"kind": "run"}).evidence == (
        "Run by this project; what it cost is not recorded.")
    write_results(toy_suite(tmp_path))
    assert detail(tmp_path, {"kind": "run", "stale": True}).evidence == (
        "Run by this project in 70.5 s of training on Test CPU, at commit aaaaaaaaaaaa. The code "
        "or the settings have changed since; it is to be trained again.")
