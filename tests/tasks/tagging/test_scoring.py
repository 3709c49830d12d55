"""Accuracies by hand, and answers that do not fit."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.storage.predictions import Prediction
from pipeline.tasks.tagging.scoring import METRICS, score


@pytest.fixture
def answers() -> list[Prediction]:
    """Sentences out of order: one wrong tag of five, none to give, two that cannot be right."""
    return [{"id": "test-3", "tags": ["NNP", "VBZ"]}, {"id": "test-1", "tags": []},
            {"id": "test-0", "tags": ["DT", "NN", "MD", "NN", "."]},
            {"id": "test-2", "tags": ["NN", "NN"]}]


def test_accuracies_by_hand(extracted: Path, answers: list[Prediction]) -> None:
    found = score(answers, extracted / "test")
    assert found.ids == ["test-0", "test-1", "test-2", "test-3"]
    assert found.groups == ["test-0", "test-0", "test-1", "test-1"]
    assert found.columns["correct"].tolist() == [4, 0, 0, 2]
    assert found.score(METRICS["accuracy"]) == pytest.approx(100 * 6 / 9)
    # Unknown: horse, oh, dear, Peter. The tag of two of them training has never seen.
    assert found.score(METRICS["accuracy_unknown"]) == pytest.approx(50)
    # The empty sentence is neither right nor wrong.
    assert found.score(METRICS["sentence_accuracy"]) == pytest.approx(100 / 3)
    assert next(iter(METRICS)) == "accuracy"


@pytest.mark.parametrize("change, message", [
    (lambda found: found.pop(), "1 items without a prediction"),
    (lambda found: found[0]["tags"].pop(), "'test-3': expected 2 tags, got 1"),
    (lambda found: found[0].update(tags=["NNP", "XYZ"]), "'test-3': 'XYZ' is no tag of this"),
    (lambda found: found[0].pop("tags"), "'test-3' has no 'tags'"),
    (lambda found: found[0].update(tags="NN"), "'test-3' has no 'tags'"),
])
def test_answers_that_do_not_fit_are_refused(extracted: Path, answers: list[Prediction], change,
                                             message: str) -> None:
    change(answers)
    with pytest.raises(UserError, match=message):
        score(answers, extracted / "test")
