"""JSON that somebody has edited: every reader says which file and what is wrong, or reads it.

Each value of each file that results are read back from is dropped, altered, or replaced by one of
another kind, and the file is cut; whoever reads it may answer or raise a UserError.
"""

import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.listing import listing
from pipeline.errors import UserError
from pipeline.results.leaderboard import build, render, with_trainings, write_leaderboard
from pipeline.results.moved import moved
from pipeline.results.report import summary, write_report
from pipeline.results.trainings import trainings_of
from pipeline.suite.schema import Suite
from pipeline.verification.reproduced import statistics_of
from pipeline.verification.tolerances import tolerances
from pipeline.workflow.expected import expected_seconds
from pipeline.workflow.progress import winner
from tests.toy_suite import toy_suite, write_results, write_seeds
from tests.trials import trials
from tests.verification.test_tampering import leaves, put

OTHER_KINDS: tuple[Any, ...] = (None, True, "x", 7, -1.5, [], [1], {}, {"x": 1}, 10**400)


def seeds_read(suite: Suite) -> None:
    trainings_of(suite, "yearly", "network")
    tolerances(suite, "yearly", statistics_of(suite, list(suite.systems)))


READERS: dict[str, Callable[[Suite], object]] = {
    "ls": lambda suite: list(listing(suite, "yearly", True)),
    "leaderboard": lambda suite: render(
        suite, with_trainings(suite, build(suite, "yearly")).board),
    "pictures": lambda suite: write_leaderboard(suite, "yearly"),
    "report": write_report,
    "summary": summary,
    "winner": lambda suite: winner(suite, "yearly"),
    "moved": moved,
    "expected": lambda suite: [expected_seconds(suite, f"{stage}@{key}") for key in suite.systems
                               for stage in ("train", "evaluate")],
    "seeds": seeds_read,
}


@pytest.fixture(scope="module", params=["ci", "run"])
def suite(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """Results of a small suite, in a repository that has them as its last commit."""
    root = tmp_path_factory.mktemp(request.param)
    found = toy_suite(root, evidence=request.param)
    write_results(found)
    write_seeds(found, "network", [0.5])
    write_leaderboard(found, "yearly")
    write_report(found)
    for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@e.org",
                                                    "commit", "-qm", "first"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    return found


def wrong(path: Path) -> Iterator[str]:
    text = path.read_text()
    document = json.loads(text)
    yield from ("", text[:-3], "[" * 5000, "nonsense", '{"a": NaN}')
    for place, value in leaves(document):
        yield json.dumps(put(document, place, value))
    for place in dict.fromkeys(place for place, _ in leaves(document)):
        for value in OTHER_KINDS:
            yield json.dumps(put(document, place, value))


def files(suite: Suite) -> list[Path]:
    places = suite.places
    return [places.tests, *(
        path for folder in (places.all_metrics, places.all_costs, places.leaderboards,
                            places.all_curves, places.all_seeds)
        for path in sorted(folder.rglob("*.json")))]


@pytest.mark.fuzz
@pytest.mark.parametrize("reader", READERS)
def test_a_wrong_file_is_an_error_in_words(suite: Suite, reader: str) -> None:
    told, step = 0, trials(59, 1) * (10 if reader == "pictures" else 1)  # drawing takes time
    for path in files(suite):
        good = path.read_bytes()
        for text in itertools.islice(wrong(path), 0, None, step):
            path.write_text(text)
            try:
                READERS[reader](suite)
            except UserError:
                told += 1
            finally:
                path.write_bytes(good)
    assert told or reader == "expected"
