"""Which systems of other suites the conformance test runs, and on which embedded track."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.suite.schema import load
from tests.systems.entrants import OTHERS, cut, entrants, nearest_track, newcomers, traits
from tests.toy_suite import toy_suite

LEARNT = {"track": "yearly", "model": "recurrent", "cell": "gru", "hidden": 8, "dropout": 0.0,
          "variants": {"short": {"beam": 1}}}


def found(*entries: dict[str, Any]) -> list[str]:
    """Who is an entrant of a suite of `entries` beside an embedded suite that has LEARNT alone."""
    systems = {f"s{number}": entry for number, entry in enumerate(entries)}
    other = toy_suite(suite="real/", root="..", systems=systems)
    return [str(entrant) for entrant in newcomers(toy_suite(systems={"s": LEARNT}), [other])]


@pytest.mark.parametrize("change", [
    {"hidden": 512}, {"settings_tried": 7}, {"variants": {"long": {"beam": 9}}}])
def test_another_size_or_name_brings_nothing(change: dict[str, Any]) -> None:
    assert found({**LEARNT, **change}) == []


@pytest.mark.parametrize("change", [
    {"model": "esrnn"}, {"cell": "lstm"}, {"dropout": 0.5}, {"holdout": False},
    {"variants": {"short": {"beam": 1, "length_normalisation": 0.7}}}])
def test_what_is_new_competes_once(change: dict[str, Any]) -> None:
    changed = {**LEARNT, **change}
    assert found(LEARNT, changed, changed) == ["real/s1"]


def test_the_same_setting_of_another_task_is_new() -> None:
    assert not traits("music", LEARNT) & traits("forecast", LEARNT)


def test_a_track_of_the_same_metric_goes_before_the_first_of_the_task(root: Path) -> None:
    embedded = load(root / "params.yaml")
    assert nearest_track(embedded, "language_model", "bits_per_character") == "lm-char"
    assert nearest_track(embedded, "translation", "bleu_char") == "translation"


def test_all_systems_of_the_embedded_suite_compete_as_they_are(root: Path) -> None:
    embedded = load(root / "params.yaml")
    own = {entrant.name: entrant.settings for entrant in entrants(root)
           if entrant.name in embedded.systems}
    assert own == {key: embedded.system(key) for key in embedded.systems}


@pytest.mark.parametrize("folder", OTHERS)
def test_cutting_switches_nothing_off(root: Path, folder: str) -> None:
    for entry in load(root / folder / "params.yaml").systems.values():
        assert traits("any", cut(entry)) == traits("any", entry)
