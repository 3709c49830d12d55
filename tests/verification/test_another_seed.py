"""The further seed that a verification trains again: chosen by the commit, and compared."""

from pathlib import Path

import pytest

from pipeline.results.trainings import records_of
from pipeline.running.costs import processor
from pipeline.running.seeds import Kept
from pipeline.storage.files import read_json, write_json
from pipeline.suite.schema import Suite
from pipeline.verification.another_seed import Chosen, check_another_seed, choose, compare_seed
from pipeline.verification.comparison import Findings
from tests.toy_suite import VERSION, statistics, toy_suite, write_results, write_seeds


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    found = toy_suite(tmp_path)
    write_results(found)
    write_seeds(found, "network", [0.1, 0.2, 0.3])
    return found


def trained(suite: Suite, **changes: object) -> Kept:
    """What training the network with seed 3 again gives: what is recorded, but for `changes`."""
    items = statistics("network")
    items.columns["smape"] += 0.2
    return {"": ({**records_of(suite, "yearly", "network")[3], **changes}, items)}  # type: ignore[typeddict-item]


def compared(suite: Suite, kept: Kept) -> list[str]:
    findings = Findings()
    compare_seed(suite, Chosen("yearly", 3, ("network",)), "network", kept, findings)
    assert findings.compared["trainings with a further seed"] == 1
    return [*findings.differences, *findings.outside, *findings.unchecked]


def test_the_commit_chooses_among_all_further_seeds_and_never_the_suites_own(suite: Suite) -> None:
    seen = {choose(suite, f"{number:040x}") for number in range(12)}
    assert seen == {Chosen("yearly", seed, ("network",)) for seed in (2, 3, 4)}
    assert choose(suite, "f" * 40) == choose(suite, "f" * 40)


def test_where_nothing_was_measured_nothing_is_chosen(tmp_path: Path) -> None:
    bare = toy_suite(tmp_path)
    write_results(bare)
    findings = Findings()
    check_another_seed(bare, "0" * 40, 1, findings)
    assert findings.differences == []
    assert findings.unchecked == ["embedded: no row has trainings with further seeds ('unrolled "
                                  "spread' makes them)"]


def test_a_seed_that_comes_out_as_recorded_is_no_difference(suite: Suite) -> None:
    assert compared(suite, trained(suite)) == []


def test_elsewhere_it_may_move_as_far_as_its_row(suite: Suite) -> None:
    scores = records_of(suite, "yearly", "network")[3]["scores"]
    far = 5 * 0.12909944  # five deviations of 5.0, 5.1, 5.2 and 5.3
    near, beyond = ({**scores, "smape": scores["smape"] + far + step} for step in (-0.01, 0.01))
    assert compared(suite, trained(suite, scores=near, statistics="0" * 64)) == []
    [text] = compared(suite, trained(suite, scores=beyond, statistics="0" * 64))
    assert text.startswith("embedded, yearly, row 'network': of its other scores and bounds 1 ")
    assert "smape is 5.2 as committed" in text
    [text] = compared(suite, trained(suite, scores={**scores, "owa": 9.0}, statistics="0" * 64))
    assert text.startswith("embedded, yearly, row 'network': owa is 0.5")


def test_on_the_processor_that_is_named_it_comes_out_to_the_last_bit(suite: Suite) -> None:
    path = suite.places.seed_record("yearly", "network", "", VERSION, 3)
    write_json(path, read_json(path) | {"processor": processor("cpu"), "torch": None})
    assert compared(suite, trained(suite)) == []
    [text] = compared(suite, trained(suite, statistics="0" * 64))
    assert "the statistics of its test items are other bytes" in text
