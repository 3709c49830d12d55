"""Accuracies by hand, and predictions that do not fit the test items."""

import math
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.scoring.item_clusters import alone, write_clusters
from pipeline.storage.files import write_json
from pipeline.storage.predictions import Prediction
from pipeline.tasks.sentence.scoring import METRICS, by_class, confusion, score


def sentiment(*values: float) -> dict[str, float]:
    return dict(zip("01234", values, strict=True))


@pytest.fixture
def test(tmp_path: Path) -> Path:
    rows = [("a", "0", "simple"), ("b", "2", "simple"), ("c", "4", "composed"),
            ("d", "3", "composed"), ("e", "1", "composed")]
    write_json(tmp_path / "items.json", [
        {"id": identity, "text": "words", "label": label, "group": group, "facts": None}
        for identity, label, group in rows])
    write_clusters(tmp_path, alone("abcde"))
    write_json(tmp_path / "labels.json", list("01234"))
    return tmp_path


@pytest.fixture
def answers() -> list[Prediction]:
    """Answers 0, 3, 3, 2, 1; positive outweighs negative in c and d, though d's answer is 2."""
    return [{"id": "e", "probabilities": sentiment(0.2, 0.4, 0.1, 0.2, 0.1)},
            {"id": "a", "probabilities": sentiment(0.9, 0.1, 0.0, 0.0, 0.0)},
            {"id": "b", "probabilities": sentiment(0.1, 0.1, 0.2, 0.6, 0.0)},
            {"id": "c", "probabilities": sentiment(0.0, 0.1, 0.1, 0.5, 0.3)},
            {"id": "d", "probabilities": sentiment(0.0, 0.2, 0.5, 0.2, 0.1)}]


def test_accuracies_by_hand(test: Path, answers: list[Prediction]) -> None:
    statistics = score(answers, test)
    found = {name: statistics.score(metric) for name, metric in METRICS.items()}
    assert statistics.ids == ["a", "b", "c", "d", "e"]
    assert found["accuracy"] == pytest.approx(100 * 2 / 5)
    assert found["accuracy_simple"] == pytest.approx(50)
    assert found["accuracy_composed"] == pytest.approx(100 / 3)
    assert found["accuracy_binary"] == pytest.approx(100)
    assert statistics.columns["items_binary"].tolist() == [1, 0, 1, 1, 1]
    assert math.isnan(found["accuracy_one"])
    assert next(iter(METRICS)) == "accuracy"


def test_two_classes_and_questions(tmp_path: Path) -> None:
    write_json(tmp_path / "items.json", [
        {"id": "q1", "text": "where", "label": "attic", "group": "one", "facts": 2},
        {"id": "q2", "text": "where", "label": "cellar", "group": "three", "facts": 4}])
    write_clusters(tmp_path, {"q1": "story", "q2": "story"})
    write_json(tmp_path / "labels.json", ["attic", "cellar"])
    statistics = score([{"id": "q1", "probabilities": {"attic": 0.5, "cellar": 0.5}},
                        {"id": "q2", "probabilities": {"cellar": 0.4, "attic": 0.6}}], tmp_path)
    assert statistics.score(METRICS["accuracy_one"]) == 100  # the first among equals
    assert statistics.score(METRICS["accuracy_three"]) == 0
    assert math.isnan(statistics.score(METRICS["accuracy_binary"]))
    assert statistics.groups == ["story", "story"]
    assert statistics.columns["facts"].tolist() == [2, 4] and "words" not in statistics.columns


def test_classes_by_hand(test: Path, answers: list[Prediction]) -> None:
    labels, table = confusion(answers, test)
    assert labels == list("01234")
    assert table.tolist() == [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 1, 0],
                              [0, 0, 1, 0, 0], [0, 0, 0, 1, 0]]
    found = {row.label: row for row in by_class(answers, test)}
    assert (found["0"].precision, found["0"].recall, found["0"].f1) == (100, 100, 100)
    assert (found["3"].precision, found["3"].recall, found["3"].items) == (0, 0, 1)
    assert math.isnan(found["4"].precision) and found["4"].recall == 0
    answers[2]["probabilities"] = sentiment(0.6, 0.1, 0.2, 0.1, 0.0)
    zero = by_class(answers, test)[0]
    assert (zero.precision, zero.recall) == (50, 100)
    assert zero.f1 == pytest.approx(200 / 3)


@pytest.mark.parametrize(("change", "message"), [
    (lambda found: found.pop(), "1 items without a prediction"),
    (lambda found: found.append({"id": "x", "probabilities": {"0": 1.0}}), "1 predictions without"),
    (lambda found: found[0].pop("probabilities"), "'e' has no 'probabilities'"),
    (lambda found: found[0].update(probabilities={}), "'e' has no 'probabilities'"),
    (lambda found: found[0].update(probabilities={"0": 1.5}), "'e' has no 'probabilities'"),
    (lambda found: found[0].update(probabilities={"0": "1"}), "'e' has no 'probabilities'"),
    (lambda found: found[0].update(probabilities=[1.0]), "'e' has no 'probabilities'"),
])
def test_predictions_that_do_not_fit_are_refused(test: Path, answers: list[Prediction], change,
                                                 message: str) -> None:
    change(answers)
    with pytest.raises(UserError, match=message):
        score(answers, test)
