"""What committed boards and the words of claims promise of rows, held against the rows."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline.storage.files import read_json

SUITES = ["", "real/"]


def params_of(root: Path, suite: str) -> dict[str, Any]:
    return YAML(typ="safe").load(root / f"{suite}params.yaml")


def networks(root: Path, suite: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Track and row of each network of the present version."""
    params = params_of(root, suite)
    for track in params["tracks"]:
        for row in read_json(root / f"{suite}leaderboards/{track}.json")["rows"]:
            system = params["systems"].get(row["system"].partition(":")[0], {})
            if "training" in system and not row["evidence"].get("stale"):
                yield track, row


@pytest.mark.parametrize("suite", SUITES)
def test_networks_of_a_track_were_computed_in_its_one_precision(root: Path, suite: str) -> None:
    """A clock once chose it, so compared rows differed."""
    params = params_of(root, suite)
    found = list(networks(root, suite))
    assert found
    for track, row in found:
        wanted = params["tracks"][track].get("precision", params["precision"])
        assert row["precision"] == wanted, f"{track}, {row['system']}"


@pytest.mark.parametrize("suite", SUITES)
def test_rows_that_a_claim_calls_equal_in_size_are_so(root: Path, suite: str) -> None:
    params = params_of(root, suite)
    sizes = {row["system"]: row["parameters"] for _, row in networks(root, suite)}
    told = 0
    for claim in params["claims"]:
        named = [claim["better"], *claim["worse"]]
        for one, other in combinations(named, 2):
            if "as many parameters" in claim["text"] and {one, other} <= sizes.keys():
                assert sizes[one] == pytest.approx(sizes[other], rel=0.03), claim["id"]
                told += 1
            if "same width" in claim["text"]:
                widths = [params["systems"][row.partition(":")[0]]["hidden"]
                          for row in (one, other)]
                assert widths[0] == widths[1], claim["id"]
                told += 1
    assert told


@pytest.mark.parametrize("suite", SUITES)
def test_no_claim_rests_on_an_ensemble(root: Path, suite: str) -> None:
    """All seeds together are one training, and another one would take five more."""
    params = params_of(root, suite)
    for claim in params["claims"]:
        named = {claim["better"], *claim["worse"], *(claim.get("contrast") or {}).values()}
        systems = [params["systems"][row.partition(":")[0]] for row in named]
        assert all(system.get("members", 1) == 1 for system in systems), claim["id"]
