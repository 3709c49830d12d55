"""Perplexity by hand, and predictions that do not fit the test text."""

import math
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.storage.predictions import Prediction
from pipeline.tasks.language_model.scoring import METRICS, score


@pytest.fixture
def answers() -> list[Prediction]:
    """One nat a token, 3 nats at the marked word; sentences out of order."""
    return [{"id": "test-3", "nll": [1.0] * 4}, {"id": "test-2", "nll": [1.0]},
            {"id": "test-0", "nll": [1.0] * 6 + [3.0, 1.0]}, {"id": "test-1", "nll": [1.0] * 3}]


def test_perplexities_by_hand(extracted: Path, answers: list[Prediction]) -> None:
    statistics = score(answers, extracted / "test")
    assert statistics.ids == ["test-0", "test-1", "test-2", "test-3"]
    assert statistics.groups == ["test 0", "test 0", "test 1", "test 1"]
    assert statistics.columns["tokens"].tolist() == [8, 3, 1, 4]
    assert statistics.score(METRICS["perplexity"]) == pytest.approx(math.exp(18 / 16))
    assert statistics.score(METRICS["perplexity_long"]) == pytest.approx(math.exp(3))


def test_bits_by_hand(characters: Path) -> None:
    """A quarter of certainty at each of the 6 marked characters, one half at the other 49."""
    two, four = math.log(2), math.log(4)
    answers = [{"id": "test-0", "nll": [two] * 26 + [four] * 6 + [two]},
               {"id": "test-1", "nll": [two] * 8}, {"id": "test-2", "nll": [two]},
               {"id": "test-3", "nll": [two] * 13}]
    statistics = score(answers, characters / "test")
    assert statistics.score(METRICS["bits_per_character"]) == pytest.approx((49 + 12) / 55)
    assert statistics.score(METRICS["bits_per_character_long"]) == pytest.approx(2.0)
    assert math.isnan(statistics.score(METRICS["perplexity"]))


def test_words_have_no_bits_a_character(extracted: Path, answers: list[Prediction]) -> None:
    statistics = score(answers, extracted / "test")
    assert math.isnan(statistics.score(METRICS["bits_per_character"]))


@pytest.mark.parametrize("change, message", [
    (lambda found: found.pop(), "1 items without a prediction"),
    (lambda found: found.append({"id": "other", "nll": [1.0]}), "1 predictions without an item"),
    (lambda found: found[0]["nll"].pop(), "'test-3': expected 4 values"),
    (lambda found: found[0].pop("nll"), "'test-3' has no 'nll'"),
    (lambda found: found[0].update(nll=[1, 1, 1, "x"]), "'test-3' has no 'nll'"),
    (lambda found: found[0].update(nll=[1, 1, 1, -0.5]), "'test-3'.*no negative"),
    (lambda found: found[0].update(nll=[1, 1, 1, None]), "'test-3'"),
])
def test_predictions_that_do_not_fit_are_refused(extracted: Path, answers: list[Prediction],
                                                 change, message: str) -> None:
    change(answers)
    with pytest.raises(UserError, match=message):
        score(answers, extracted / "test")
