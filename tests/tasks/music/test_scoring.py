"""Means over pooled steps by hand, and predictions that do not fit the test items."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.scoring.item_clusters import alone, write_clusters
from pipeline.storage.predictions import Prediction
from pipeline.tasks.music.scoring import METRICS, score
from pipeline.tasks.music.shared.items import Item, write_items


@pytest.fixture
def test(tmp_path: Path) -> Path:
    write_items(tmp_path, [Item("a", 3, [0, 2]), Item("b", 1, [])])
    write_clusters(tmp_path, alone("ab"))
    return tmp_path


@pytest.fixture
def answers() -> list[Prediction]:
    return [{"id": "b", "nll": [8.0]}, {"id": "a", "nll": [1.0, 2.0, 6.0]}]


def test_scores_by_hand(test: Path, answers: list[Prediction]) -> None:
    statistics = score(answers, test)
    assert statistics.ids == ["a", "b"]
    assert statistics.score(METRICS["nll"]) == pytest.approx(17 / 4)  # not (3 + 8) / 2
    assert statistics.score(METRICS["nll_changes"]) == pytest.approx(7 / 2)


@pytest.mark.parametrize(("change", "message"), [
    (lambda found: found.pop(), "1 items without a prediction"),
    (lambda found: found.append({"id": "x", "nll": []}), "1 predictions without an item"),
    (lambda found: found[0].pop("nll"), "'b' has no 'nll'"),
    (lambda found: found[0].update(nll=["x"]), "'b' has no 'nll'"),
    (lambda found: found[1].update(nll=[1.0, 2.0]), "'a': expected 3 values .* got shape"),
    (lambda found: found[1].update(nll=[1.0, 2.0, -0.1]), "'a': 'nll' holds a value"),
    (lambda found: found[1].update(nll=[1.0, 2.0, float("inf")]), "'a' has no 'nll' of the kind"),
])
def test_predictions_that_do_not_fit_are_refused(test: Path, answers: list[Prediction], change,
                                                 message: str) -> None:
    change(answers)
    with pytest.raises(UserError, match=message):
        score(answers, test)
