"""How long stages are expected to take."""

from pathlib import Path

import pytest

from pipeline.storage.files import write_json
from pipeline.suite.schema import Suite, load
from pipeline.workflow.expected import expected_seconds


@pytest.fixture
def suite(root: Path, tmp_path: Path) -> Suite:
    return load(root / "real/params.yaml").placed(tmp_path)


def test_a_system_is_expected_to_take_as_long_as_last_time(suite: Suite) -> None:
    key = next(iter(suite.systems))
    for stage, seconds in (("train", 1234.5), ("evaluate", 67.0)):
        write_json(suite.places.cost(suite.track_of(key), key, stage), {"seconds": seconds})
        assert expected_seconds(suite, suite.address(stage, key)) == seconds


def test_without_a_record_a_network_takes_longer_than_a_classical_system_of_its_task(
        suite: Suite) -> None:
    def training(network: bool, task: str) -> list[float]:
        return [expected_seconds(suite, suite.address("train", key))
                for key, entry in suite.systems.items()
                if ("training" in entry) == network and suite.task_of(key) == task]

    compared = 0
    for task in {suite.task_of(key) for key in suite.systems}:
        networks, classical = training(True, task), training(False, task)
        if networks and classical:
            assert min(networks) > max(classical)
            compared += 1
    assert compared > 2


def test_a_search_for_words_is_expected_to_take_longer_than_the_choice_of_a_class(
        suite: Suite) -> None:
    def answering(task: str) -> float:
        return min(expected_seconds(suite, suite.address("evaluate", key))
                   for key in suite.systems if suite.task_of(key) == task)

    assert answering("asr") > 10 * answering("tagging")


def test_every_stage_has_an_expectation(suite: Suite) -> None:
    for address in ("validate", "real/dvc.yaml:features@asr", "report", "train@nobody-knows-it"):
        assert expected_seconds(suite, address) > 0
