"""Accuracy and log-loss by hand, and predictions that do not fit the test items."""

import math
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.scoring.item_clusters import write_clusters
from pipeline.storage.files import write_json
from pipeline.storage.predictions import Prediction
from pipeline.tasks.words.scoring import METRICS, confusion, details, score

GOLD = {"a": "one", "b": "two", "c": "one", "d": "two"}


@pytest.fixture
def test(tmp_path: Path) -> Path:
    speakers = {"a": "ada", "b": "ada", "c": "bob", "d": "ada"}
    write_json(tmp_path / "test.items.json", [{"id": identity, "speaker": speaker}
                                              for identity, speaker in speakers.items()])
    write_json(tmp_path / "gold.json", GOLD)
    write_json(tmp_path / "labels.json", ["one", "two"])
    write_clusters(tmp_path, speakers)
    return tmp_path


def said(identity: str, one: float, label: str | None = None) -> Prediction:
    return {"id": identity, "label": label or ("one" if one >= 0.5 else "two"),
            "probabilities": {"one": one, "two": 1 - one}}


ANSWERS = [said("d", 0.25), said("a", 0.75), said("b", 0.5), said("c", 0.0)]


def test_scores_by_hand(test: Path) -> None:
    statistics = score(ANSWERS, test)
    assert statistics.ids == ["a", "b", "c", "d"]
    assert statistics.groups == ["ada", "ada", "bob", "ada"]
    assert next(iter(METRICS)) == "accuracy"
    assert statistics.score(METRICS["accuracy"]) == 50
    # Nothing was left for the right label of c: that counts as a millionth.
    nats = [-math.log(0.75), math.log(2), 6 * math.log(10), -math.log(0.75)]
    assert statistics.score(METRICS["log_loss"]) == pytest.approx(sum(nats) / 4)
    assert details(statistics) == {"accuracy_by_speaker": {
        "ada": pytest.approx(200 / 3), "bob": 0}}


def test_of_equal_labels_either_is_an_answer(test: Path) -> None:
    statistics = score([*ANSWERS[:2], said("b", 0.5, "two"), ANSWERS[3]], test)
    assert statistics.score(METRICS["accuracy"]) == 75


def test_confusions_by_hand(test: Path) -> None:
    labels, table = confusion(ANSWERS, test)
    assert labels == ["one", "two"] and table.tolist() == [[1, 1], [1, 1]]
    assert confusion([*ANSWERS[:3], said("c", 1.0)], test)[1].tolist() == [[2, 0], [1, 1]]


@pytest.mark.parametrize(("changes", "message"), [
    ({"label": "two"}, "'a' has the label 'two', which is not the most probable one"),
    ({"label": "six"}, "'a' has the label 'six', which is not"),
    ({"label": 1}, "'a' has no 'label' of the kind"),
    ({"probabilities": {"one": 0.75, "two": 0.3}}, "whose sum is 1.05, not 1"),
    ({"probabilities": {"one": 1.0}}, "expected probabilities of the labels one, two, got one"),
    ({"probabilities": {"one": 0.75, "six": 0.25}}, "got one, six"),
    ({"probabilities": {"one": 1.5, "two": -0.5}}, "has no 'probabilities' of the kind"),
    ({"probabilities": {}}, "whose sum is 0, not 1"),
])
def test_answers_of_another_form_are_refused(changes: dict[str, Any], message: str,
                                             test: Path) -> None:
    with pytest.raises(UserError, match=message):
        score([ANSWERS[1] | changes, *ANSWERS[2:], ANSWERS[0]], test)


def test_an_item_without_an_answer_is_named(test: Path) -> None:
    with pytest.raises(UserError, match="1 items without a prediction"):
        score(ANSWERS[1:], test)
