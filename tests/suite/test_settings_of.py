"""Settings that were found for another row bring their count with them."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.provenance.inputs import stage_settings
from pipeline.suite.checks import problems_of
from pipeline.suite.schema import Suite, load
from pipeline.suite.yaml_file import read_yaml
from tests.toy_suite import toy_suite

SUITES = ["params.yaml", "real/params.yaml", "large/params.yaml"]


def suite(**systems: dict[str, Any]) -> Suite:
    return toy_suite(systems={name: {"track": "yearly", "model": "esrnn", "training": {}, **entry}
                              for name, entry in systems.items()})


def test_a_system_has_the_count_of_the_one_whose_settings_it_uses() -> None:
    found = suite(one={"settings_tried": 8}, many={"settings_of": "one"},
                  more={"settings_of": "many"}, other={})
    assert {key: found.settings_tried(key) for key in found.systems} == {
        "one": 8, "many": 8, "more": 8, "other": 1}


@pytest.mark.parametrize("key", ["a", "b", "c"])
def test_settings_of_each_other_are_nobodys(key: str) -> None:
    found = suite(a={"settings_of": "b"}, b={"settings_of": "c"}, c={"settings_of": "b"})
    with pytest.raises(UserError, match="use the settings of each other"):
        found.settings_tried(key)


@pytest.mark.parametrize(("changes", "problem"), [
    ({"settings_of": "weekly-esrn"}, "settings_of: no system 'weekly-esrn'"),
    ({"settings_of": "weekly-esrnn-ensemble"}, "use the settings of each other"),
    ({"settings_of": "weekly-esrnn", "settings_tried": 3}, "leave settings_tried out"),
    ({"settings_of": "Not A Name"}, "settings_of"),
])
def test_a_wrong_owner_of_settings_is_named_with_its_place(root: Path, changes: dict[str, Any],
                                                           problem: str) -> None:
    raw = read_yaml(root / "real/params.yaml")
    raw["systems"]["weekly-esrnn-ensemble"].update(changes)
    found = [text for text in problems_of(raw) if "weekly-esrnn-ensemble" in text]
    assert found and problem in " ".join(found)


@pytest.mark.parametrize("name", SUITES)
def test_how_settings_were_found_trains_nothing_again_but_is_evaluated(root: Path,
                                                                       name: str) -> None:
    found = load(root / name)
    for key, entry in found.systems.items():
        assert not {"settings_of", "settings_tried"} & stage_settings(found, "train", key).keys()
        told = stage_settings(found, "evaluate", key)["settings_tried"]
        owner = found.systems[entry.get("settings_of", key)]
        assert told == owner.get("settings_tried", 1)
        assert not {"settings_of", "settings_tried"} & stage_settings(
            found, "evaluate", key)["system"].keys()  # so no model's bytes tell of it


@pytest.mark.parametrize("name", SUITES)
def test_an_ensemble_was_tuned_as_often_as_its_members(root: Path, name: str) -> None:
    """Settings that differ in nothing but the number of members are the same settings."""
    found = load(root / name)

    def essence(entry: dict[str, Any]) -> dict[str, Any]:
        aside = {"members", "settings_of", "settings_tried"}
        return {field: value for field, value in entry.items() if field not in aside}

    counts: list[tuple[dict[str, Any], int]] = []
    for key, entry in found.systems.items():
        if "members" in entry:
            counts += [(essence(entry), found.settings_tried(key))]
    assert name == "large/params.yaml" or counts
    assert all(tried == count for one, tried in counts for other, count in counts if one == other)
