"""Exact sums counted by hand."""

import math
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.scoring.item_clusters import alone, write_clusters
from pipeline.storage.files import write_json
from pipeline.storage.predictions import Prediction
from pipeline.tasks.addition.figures import by_length
from pipeline.tasks.addition.scoring import METRICS, longest_carry, score

ONES, ONE = "1" * 64, "0" * 63 + "1"
ITEMS = [
    {"id": "a", "first": ONES, "second": ONE, "sum": "1" + "0" * 64, "trained": False},
    {"id": "b", "first": ONES, "second": "0" * 64, "sum": "0" + ONES, "trained": False},
    {"id": "c", "first": "00000001", "second": "00000001", "sum": "000000010", "trained": True},
    {"id": "d", "first": "1", "second": "0", "sum": "01", "trained": True},
]


@pytest.fixture
def test(tmp_path: Path) -> Path:
    write_json(tmp_path / "items.json", ITEMS)
    write_clusters(tmp_path, alone(item["id"] for item in ITEMS))
    return tmp_path


@pytest.fixture
def answers() -> list[Prediction]:
    return [{"id": item["id"], "sum": item["sum"]} for item in ITEMS]


@pytest.mark.parametrize(("first", "second", "expected"), [
    ("1", "1", 0), ("01", "01", 0), ("11", "01", 1), ("0111", "0001", 2), ("1011", "0001", 1),
    ("1111", "0001", 3), ("1111", "1111", 0), ("1010", "0101", 0), ("110100", "011100", 1),
    ("1110011", "0010001", 2), (ONES, ONE, 63)])
def test_how_far_a_carry_is_passed_on(first: str, second: str, expected: int) -> None:
    assert longest_carry(first, second) == expected


def test_scores_by_hand(test: Path, answers: list[Prediction]) -> None:
    found = score(answers, test)
    assert {name: found.score(metric) for name, metric in METRICS.items()
            if not math.isnan(found.score(metric))} == {
        "exact": 100, "exact_64": 100, "exact_8": 100, "exact_trained": 100, "exact_carry": 100,
        "bits_64": 100}
    assert found.columns["length"].tolist() == [len(item["first"]) for item in ITEMS]
    answers[0]["sum"] = "0" * 65  # one of 65 bits is wrong
    answers[3]["sum"] = "10"
    found = score(answers, test)
    assert found.score(METRICS["exact_64"]) == 50
    assert found.score(METRICS["exact_carry"]) == 0
    assert found.score(METRICS["exact_trained"]) == 50
    assert found.score(METRICS["exact_8"]) == 100
    assert found.score(METRICS["bits_64"]) == pytest.approx(100 * 129 / 130)
    assert by_length(ITEMS, answers) == {
        1: (1, 0.0, 0.0), 8: (1, 100.0, 100.0), 64: (2, 50.0, pytest.approx(100 * 129 / 130))}


@pytest.mark.parametrize(("change", "message"), [
    (lambda found: found.pop(), "1 items without a prediction"),
    (lambda found: found[3].pop("sum"), "'d' has no 'sum'"),
    (lambda found: found[3].update(sum="1"), "'d' has no 'sum' of 2 bits"),
    (lambda found: found[3].update(sum="12"), "'d' has no 'sum' of 2 bits"),
    (lambda found: found[3].update(sum=[0, 1]), "'d' has no 'sum' of the kind"),
])
def test_predictions_that_do_not_fit_are_refused(test: Path, answers: list[Prediction], change,
                                                 message: str) -> None:
    change(answers)
    with pytest.raises(UserError, match=message):
        score(answers, test)
