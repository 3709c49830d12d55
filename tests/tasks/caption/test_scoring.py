"""BLEU against sacreBLEU itself, truth by hand, predictions that do not fit."""

import math
from pathlib import Path

import numpy as np
import pytest
import sacrebleu
from sacrebleu.metrics.bleu import BLEU

from pipeline.errors import UserError
from pipeline.scoring.item_clusters import alone, write_clusters
from pipeline.storage.files import write_json
from pipeline.tasks.caption.scoring import METRICS, details, score

WORDS = ["a", "the", "dog", "cat", "runs", "sits", "on", "in", "grass", "park", "red", "small",
         "it's", "t-shirt"]
SCENE = [["circle", "red", "small", 0, 0], ["square", "blue", "large", 0, 2]]


def random_items(count: int, alike: float) -> tuple[list[list[str]], list[str]]:
    """Five references of different lengths a picture, and sentences that resemble the second."""
    random = np.random.default_rng(count)
    references, sentences = [], []
    for _ in range(count):
        texts = [random.choice(WORDS, random.integers(3, 12)).tolist() for _ in range(5)]
        references.append([" ".join(text) for text in texts])
        sentences.append(" ".join(word if random.random() < alike else str(random.choice(WORDS))
                                  for word in texts[1] if random.random() < 0.9))
    return references, sentences


def written(test: Path, references: list[list[str]], scene: list | None = None) -> Path:
    write_json(test / "items.json", [
        {"id": f"p{number}", "references": texts, "scene": scene}
        for number, texts in enumerate(references)])
    write_clusters(test, alone(f"p{number}" for number in range(len(references))))
    return test


def answers(sentences: list[str]) -> list[dict[str, str]]:
    return [{"id": f"p{number}", "sentence": text} for number, text in enumerate(sentences)]


@pytest.mark.parametrize(("count", "alike"), [(80, 0.8), (40, 0.1), (3, 0.5), (20, 0.0)])
def test_every_order_equals_sacrebleus(tmp_path: Path, count: int, alike: float) -> None:
    references, sentences = random_items(count, alike)
    statistics = score(answers(sentences)[::-1], written(tmp_path, references))
    streams = list(map(list, zip(*references, strict=True)))
    for order in range(1, 5):
        expected = BLEU(max_ngram_order=order).corpus_score(sentences, streams).score
        assert statistics.score(METRICS[f"bleu_{order}"]) == pytest.approx(expected, abs=1e-9)


def test_resampled_scores_equal_sacrebleus(tmp_path: Path) -> None:
    references, sentences = random_items(20, 0.7)
    statistics = score(answers(sentences), written(tmp_path, references))
    metric = METRICS["bleu_4"]
    for seed in range(5):
        rows = np.random.default_rng(seed).integers(0, 20, 20)
        expected = sacrebleu.corpus_bleu(
            [sentences[row] for row in rows],
            [[references[row][n] for row in rows] for n in range(5)]).score
        assert metric.value(statistics.table(metric.columns)[rows].sum(axis=0)) == pytest.approx(
            expected, abs=1e-9)


def test_an_exact_and_an_empty_sentence(tmp_path: Path) -> None:
    references, _ = random_items(6, 1.0)
    for texts in references:
        texts[3] = "a small red dog runs"
    test = written(tmp_path, references)
    exact = score(answers([texts[3] for texts in references]), test)
    assert exact.score(METRICS["bleu_4"]) == pytest.approx(100)
    assert score(answers([""] * 6), test).score(METRICS["bleu_4"]) == 0


def test_signatures_are_sacrebleus() -> None:
    assert METRICS["bleu_4"].signature == (
        f"nrefs:5|case:mixed|eff:no|tok:13a|smooth:exp|version:{sacrebleu.__version__}")
    assert next(iter(METRICS)) == "bleu_4"


def test_truth_by_hand(tmp_path: Path) -> None:
    test = written(tmp_path, [["a red circle is left of a blue square"] * 5] * 4, SCENE)
    statistics = score(answers([
        "a red disc precedes a large box", "a red disc precedes a large blue box",
        "a red circle is right of a blue square", "a blue square is right of a red circle"]), test)
    assert statistics.columns["true"].tolist() == [0, 1, 0, 1]
    assert statistics.columns["grammatical"].tolist() == [0, 1, 1, 1]
    assert statistics.score(METRICS["truth"]) == 50
    assert details(statistics) == {"grammatical": 0.75}


def test_without_a_grammar_there_is_no_truth(tmp_path: Path) -> None:
    statistics = score(answers(["a dog"]), written(tmp_path, [["a dog runs"] * 5]))
    assert math.isnan(statistics.score(METRICS["truth"]))
    assert details(statistics) == {}


@pytest.mark.parametrize(("found", "message"), [
    ([], "1 items without a prediction"),
    ([{"id": "p0", "sentence": "a"}, {"id": "x", "sentence": "a"}], "1 predictions without"),
    ([{"id": "p0"}], "'p0' has no 'sentence'"),
    ([{"id": "p0", "sentence": ["a"]}], "'p0' has no 'sentence'")])
def test_predictions_that_do_not_fit_are_refused(tmp_path: Path, found: list,
                                                 message: str) -> None:
    with pytest.raises(UserError, match=message):
        score(found, written(tmp_path, [["a dog runs"] * 5]))
