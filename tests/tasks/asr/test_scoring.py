"""Word error rates: the lecture's example, jiwer's own corpus value, conditions kept apart."""

from pathlib import Path

import jiwer
import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.scoring.item_clusters import alone, write_clusters
from pipeline.scoring.scores import ItemStatistics
from pipeline.storage.files import write_json
from pipeline.tasks.asr.figures import alignment
from pipeline.tasks.asr.scoring import METRICS, score

REFERENCE = "i um the phone is i left the portable phone upstairs last night"
HYPOTHESIS = "i got it to the fullest i love to portable form of stores last night"


def scored(directory: Path, items: list[tuple[str, str, str]]) -> ItemStatistics:
    """Statistics of (condition, reference, hypothesis) items."""
    write_json(directory / "test.items.json", [
        {"id": str(number), "condition": condition, "reference": reference}
        for number, (condition, reference, _) in enumerate(items)])
    write_clusters(directory, alone(str(number) for number in range(len(items))))
    return score([{"id": str(number), "hypothesis": hypothesis}
                  for number, (*_, hypothesis) in enumerate(items)], directory)


def test_the_lectures_example(tmp_path: Path) -> None:
    found = scored(tmp_path, [("clean", REFERENCE, HYPOTHESIS)])
    counts = {name: int(column[0]) for name, column in found.columns.items()}
    assert (counts["substitutions"], counts["insertions"], counts["deletions"]) == (6, 3, 1)
    assert counts["words"] == 13
    assert found.score(METRICS["wer"]) == pytest.approx(100 * 10 / 13)
    assert found.score(METRICS["insertions"]) == pytest.approx(100 * 3 / 13)


ITEMS = [("clean", "one two three", "one three"), ("clean", "a", "a b c d"),
         ("clean", "erase x", ""), ("clean", "yes no maybe so", "yes no maybe so")]


def test_corpus_value_is_jiwers_and_not_a_mean_over_utterances(tmp_path: Path) -> None:
    found = scored(tmp_path, ITEMS)
    references, hypotheses = [r for _, r, _ in ITEMS], [h for *_, h in ITEMS]
    assert found.score(METRICS["wer"]) == pytest.approx(100 * jiwer.wer(references, hypotheses))
    assert found.score(METRICS["cer"]) == pytest.approx(100 * jiwer.cer(references, hypotheses))
    assert found.score(METRICS["wer"]) == pytest.approx(100 * (1 + 3 + 2 + 0) / 10)
    assert found.score(METRICS["deletions"]) == pytest.approx(30.0)


def test_the_other_condition_has_a_metric_of_its_own(tmp_path: Path) -> None:
    found = scored(tmp_path, [("clean", "a b", "a b"), ("other", "a b c d", "a x")])
    assert found.score(METRICS["wer"]) == 0.0
    assert found.score(METRICS["cer"]) == 0.0
    assert found.score(METRICS["wer_other"]) == pytest.approx(75.0)
    assert found.columns["reference_words"].tolist() == [2, 4]


def test_an_absent_condition_gives_no_score(tmp_path: Path) -> None:
    assert np.isnan(scored(tmp_path, ITEMS).score(METRICS["wer_other"]))


def test_a_missing_prediction_is_an_error(tmp_path: Path) -> None:
    scored(tmp_path, ITEMS)
    with pytest.raises(UserError, match="3 items without a prediction"):
        score([{"id": "0", "hypothesis": ""}], tmp_path)


def test_the_best_of_several_hypotheses_is_counted(tmp_path: Path) -> None:
    scored(tmp_path, ITEMS[:2])
    others = [[{"text": "one two", "score": -1.5}, {"text": "one two three", "score": -2.0}], []]
    found = score([{"id": str(number), "hypothesis": ITEMS[number][2], "alternatives": texts}
                   for number, texts in enumerate(others)], tmp_path)
    assert found.columns["best_errors"].tolist() == [0, 3]


@pytest.mark.parametrize("odd", [None, "a", [None], [{"score": 1.0}], [{"text": 3}]])
def test_odd_alternatives_are_refused(odd: object, tmp_path: Path) -> None:
    scored(tmp_path, ITEMS[:1])
    with pytest.raises(UserError, match="prediction '0' has no 'alternatives' of the kind"):
        score([{"id": "0", "hypothesis": "a", "alternatives": odd}], tmp_path)


def test_alignment_shows_words_under_words() -> None:
    assert alignment("one two three", "one tow three four") == (
        "REF:  one two three ****\n"
        "HYP:  one tow three four\n"
        "Eval:     S         I")
    assert alignment("erase x", "") == ("REF:  erase x\n"
                                        "HYP:  ***** *\n"
                                        "Eval: D     D")


@pytest.mark.parametrize(("reference", "hypothesis", "words", "errors", "character_errors"), [
    ("\xa0", "", 1, 1, 1), ("\u2028 A", "A", 2, 1, 2), ("A\xa0B", "A B", 1, 2, 1),
    (" A  B ", "A B", 2, 0, 0)])
def test_words_are_apart_by_what_readers_part_them_by(
        reference: str, hypothesis: str, words: int, errors: int, character_errors: int,
        tmp_path: Path) -> None:
    found = scored(tmp_path, [("clean", reference, hypothesis)]).columns
    assert [found[name][0] for name in ("words", "errors", "character_errors")] == [
        words, errors, character_errors]
