"""How long stages are expected to take."""

from pathlib import Path

import pytest

from pipeline.commands.expected import expected_seconds
from pipeline.storage.files import write_json
from pipeline.suite.schema import Suite, load


@pytest.fixture
def suite(root: Path, tmp_path: Path) -> Suite:
    return load(root / "real/params.yaml").placed(tmp_path)


def test_a_system_is_expected_to_take_as_long_as_last_time(suite: Suite) -> None:
    key = next(iter(suite.systems))
    for stage, seconds in (("train", 1234.5), ("evaluate", 67.0)):
        write_json(suite.places.cost(suite.track_of(key), key, stage), {"seconds": seconds})
        assert expected_seconds(suite, suite.address(stage, key)) == seconds


def test_without_a_record_a_network_takes_longer_than_a_classical_system(suite: Suite) -> None:
    def training(network: bool) -> list[float]:
        return [expected_seconds(suite, suite.address("train", key))
                for key, entry in suite.systems.items() if ("training" in entry) == network]

    assert min(training(network=True)) > max(training(network=False))


def test_every_stage_has_an_expectation(suite: Suite) -> None:
    for address in ("validate", "real/dvc.yaml:features@asr", "report", "train@nobody-knows-it"):
        assert expected_seconds(suite, address) > 0
