"""Scores by hand and beside scipy's, and answers that do not fit the items."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from pipeline.corpora.kinds import RatedPair
from pipeline.errors import UserError
from pipeline.scoring.item_clusters import write_clusters
from pipeline.scoring.significance import intervals
from pipeline.storage.predictions import Prediction
from pipeline.tasks.embeddings.scoring import METRICS, score
from pipeline.tasks.embeddings.shared.items import Items


@pytest.fixture
def answers() -> list[Prediction]:
    """In an order of their own."""
    return [
        {"id": "word/the", "neighbours": ["cat", "a"]},
        {"id": "word/cat", "neighbours": ["dog", "dogs", "horse"]},
        {"id": "word/dog", "neighbours": ["cat", "horse", "sees"]},
        {"id": "word/horse", "neighbours": ["see", "sees", "dog"]},
        {"id": "plural/dog-dogs-cat-cats", "answer": "dogs"},
        {"id": "wordsim353/001", "cosine": 0.9}, {"id": "wordsim353/002", "cosine": 0.5},
        {"id": "wordsim353/003", "cosine": -0.1}, {"id": "wordsim353/004", "cosine": None},
        {"id": "simlex999/005", "cosine": 0.3}]


def test_scores_by_hand(extracted: Path, answers: list[Prediction]) -> None:
    answers[4]["answer"] = "cats"
    statistics = score(answers, extracted / "test")
    values = {name: statistics.score(metric) for name, metric in METRICS.items()}
    # the: its one mate is not first; cat: 1 of 2; dog: 2 of 2; horse (N and V): 2 of 3.
    assert values["neighbours"] == pytest.approx(100 * (0 + 0.5 + 1 + 2 / 3) / 4)
    assert values["neighbours_rare"] == pytest.approx(100 * 2 / 3)
    assert values["analogies"] == values["analogies_coverage"] == 100.0
    # Ratings rank 3, 1, 2; cosines 3, 2, 1: 1 - 6 * 2 / (3 * 8).
    assert values["wordsim353"] == pytest.approx(0.5)
    assert values["wordsim353_coverage"] == 75.0 and values["simlex999_coverage"] == 100.0
    assert np.isnan(values["simlex999"])  # one pair has no correlation


def test_a_word_of_the_answers_class_answers_it(extracted: Path,
                                                answers: list[Prediction]) -> None:
    def solved(answer: str) -> float:
        answers[4]["answer"] = answer
        return score(answers, extracted / "test").score(METRICS["analogies"])

    items = Items.read(extracted / "test")
    assert items.classes["NS"] == ["cats", "dogs"]
    answers[4] = {"id": answers[4]["id"]}
    assert solved("cats") == 100.0 and solved("sees") == 0.0
    with pytest.raises(UserError, match="not in the question"):
        solved("dogs")


def rated(folder: Path, ratings: list[float], cosines: list[float]) -> list[Prediction]:
    items = Items({"a", "b"}, pairs=[RatedPair("simlex999", ("a", "b"), rating)
                                     for rating in ratings])
    items.write(folder)
    write_clusters(folder, items.clusters)
    return [{"id": f"simlex999/{number:03d}", "cosine": cosine}
            for number, cosine in enumerate(cosines, 1)]


@pytest.mark.parametrize("digits", [0, 1, 6])
def test_correlation_is_scipys_with_ties_and_without(tmp_path: Path, digits: int) -> None:
    generator = np.random.default_rng(digits)
    ratings = generator.normal(size=200)
    cosines = np.clip((ratings + generator.normal(size=200)) / 8, -1, 1).round(digits)
    found = score(rated(tmp_path, ratings.round(digits).tolist(), cosines.tolist()), tmp_path)
    assert found.score(METRICS["simlex999"]) == pytest.approx(
        spearmanr(ratings.round(digits), cosines).statistic, abs=1e-12)


def test_intervals_are_close_to_those_of_ranking_each_resample_anew(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    ratings = generator.normal(size=300).round(1)
    cosines = (ratings * 0.5 + generator.normal(size=300)) / 10
    statistics = score(rated(tmp_path, ratings.tolist(), cosines.tolist()), tmp_path)
    found = intervals(statistics, {"simlex999": METRICS["simlex999"]}, 2000, seed=1)["simlex999"]
    draws = generator.integers(0, 300, (2000, 300))
    anew = np.percentile([spearmanr(ratings[draw], cosines[draw]).statistic for draw in draws],
                         [2.5, 97.5])
    assert found == pytest.approx(anew, abs=0.02)


def test_a_constant_answer_has_no_correlation(tmp_path: Path) -> None:
    found = score(rated(tmp_path, [1.0, 2.0, 3.0], [0.5] * 3), tmp_path)
    assert np.isnan(found.score(METRICS["simlex999"]))


@pytest.mark.parametrize("index, change, message", [
    (0, {"neighbours": []}, "'word/the': expected 1 or more"),
    (1, {"neighbours": ["dog", "dog", "horse"]}, "'word/cat'"),
    (1, {"neighbours": ["cat", "dog"]}, "'word/cat'"),
    (1, {"neighbours": None}, "'word/cat'"),
    (4, {"answer": None}, "'plural/dog-dogs-cat-cats' has no 'answer' of the kind"),
    (5, {"cosine": None}, "'wordsim353/001' has no 'cosine' of the kind"),
    (5, {"cosine": 1.5}, "'wordsim353/001'"),
    (5, {"cosine": "high"}, "'wordsim353/001'"),
    (5, {"id": "wordsim353/999"}, "1 items without a prediction"),
])
def test_answers_that_do_not_fit_are_refused(extracted: Path, answers: list[Prediction],
                                             index: int, change: dict, message: str) -> None:
    answers[4]["answer"] = "cats"
    answers[index] |= change
    with pytest.raises(UserError, match=message):
        score(answers, extracted / "test")
