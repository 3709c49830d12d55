"""Scores by hand, over all lags and by lag, and predictions that do not fit the test items."""

import math
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.scoring.item_clusters import alone, write_clusters
from pipeline.storage.files import write_json
from pipeline.storage.predictions import Prediction
from pipeline.tasks.memory.scoring import METRICS, RANGES, score


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    write_json(tmp_path / "items.json", [
        {"id": "a", "lag": 1, "target": 1.0}, {"id": "b", "lag": 3, "target": 0.5},
        {"id": "c", "lag": 4, "target": 1.5}, {"id": "d", "lag": 200, "target": 2.0}])
    write_clusters(tmp_path, alone("abcd"))
    return tmp_path


@pytest.fixture
def answers() -> list[Prediction]:
    return [{"id": "d", "answer": 1}, {"id": "a", "answer": 1.1}, {"id": "b", "answer": 0.2},
            {"id": "c", "answer": 1.5}]


def test_squared_errors_by_hand(numbers: Path, answers: list[Prediction]) -> None:
    statistics = score(answers, numbers)
    found = {name: statistics.score(metric) for name, metric in METRICS.items()}
    assert statistics.ids == ["a", "b", "c", "d"]
    assert found.pop("mse") == pytest.approx((0.01 + 0.09 + 0 + 1) / 4)
    assert found.pop("mse_lag_1_3") == pytest.approx((0.01 + 0.09) / 2)
    assert found.pop("mse_lag_4_7") == 0
    assert found.pop("mse_lag_128_255") == pytest.approx(1)
    assert all(map(math.isnan, found.values()))


def test_accuracies_by_hand(tmp_path: Path) -> None:
    write_json(tmp_path / "items.json", [
        {"id": "a", "lag": 16, "target": "x"}, {"id": "b", "lag": 31, "target": "y"},
        {"id": "c", "lag": 32, "target": "x"}])
    write_clusters(tmp_path, alone("abc"))
    statistics = score([{"id": "a", "answer": "x"}, {"id": "b", "answer": "x"},
                        {"id": "c", "answer": "x"}], tmp_path)
    assert statistics.columns["lag"].tolist() == [16, 31, 32]
    found = {name: statistics.score(metric) for name, metric in METRICS.items()}
    assert found.pop("accuracy") == pytest.approx(200 / 3)
    assert found.pop("accuracy_lag_16_31") == 50
    assert found.pop("accuracy_lag_32_63") == 100
    assert all(map(math.isnan, found.values()))


def test_every_lag_is_in_one_range() -> None:
    assert [lag for lags in RANGES.values() for lag in lags] == list(range(1, 1024))


@pytest.mark.parametrize(("change", "message"), [
    (lambda found: found.pop(), "1 items without a prediction"),
    (lambda found: found.append({"id": "x", "answer": 1.0}), "1 predictions without"),
    (lambda found: found[0].pop("answer"), r"'d' has no 'answer'"),
    (lambda found: found[0].update(answer="1"), "'d' has no 'answer'"),
    (lambda found: found[0].update(answer=math.inf), "'d' has no 'answer'"),
])
def test_predictions_that_do_not_fit_are_refused(numbers: Path, answers: list[Prediction], change,
                                                 message: str) -> None:
    change(answers)
    with pytest.raises(UserError, match=message):
        score(answers, numbers)


def test_a_number_is_no_class(tmp_path: Path) -> None:
    write_json(tmp_path / "items.json", [{"id": "a", "lag": 1, "target": "x"}])
    with pytest.raises(UserError, match="'a' has no 'answer' of the kind"):
        score([{"id": "a", "answer": 1.0}], tmp_path)
