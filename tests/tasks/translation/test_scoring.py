"""Scores against sacreBLEU itself, and the lecture's example."""

import math
from pathlib import Path

import numpy as np
import pytest
import sacrebleu

from pipeline.errors import UserError
from pipeline.scoring.item_clusters import alone, write_clusters
from pipeline.storage.files import write_json
from pipeline.storage.predictions import Prediction
from pipeline.tasks.translation.scoring import METRICS, score
from pipeline.tasks.translation.shared.measures import bleu, bleu_statistics, chrf

WORDS = ["Ein", "Hund", "läuft", "über", "die", "grüne", "Wiese", ",", "während", "Männer",
         "(beide", "3,5", "Jahre", "alt)", "zusehen", ".", '"Gut"', "&", "schön", "Gruß-Karte"]


def written(directory: Path, pairs: list[tuple[str, str, str, str]],
            tokenizer: str = "13a") -> list[Prediction]:
    """Items (condition, source, reference, hypothesis) as a test folder; their predictions."""
    write_json(directory / "scoring.json", {"tokenizer": tokenizer})
    write_json(directory / "items.json", [
        {"id": f"{condition}/{number}", "condition": condition, "source": source,
         "reference": reference}
        for number, (condition, source, reference, _) in enumerate(pairs)])
    write_clusters(directory, alone(f"{condition}/{number}"
                                    for number, (condition, *_) in enumerate(pairs)))
    return [{"id": f"{condition}/{number}", "hypothesis": hypothesis}
            for number, (condition, _, _, hypothesis) in enumerate(pairs)]


def random_pairs(count: int, similar: float, seed: int = 0) -> list[tuple[str, str, str, str]]:
    """References and their corrupted copies; the first fifth of them long, some of them empty."""
    generator = np.random.default_rng(seed)
    pairs = []
    for number in range(count):
        length = int(generator.integers(25, 35) if number < count / 5
                     else generator.integers(1, 12))
        reference = generator.choice(WORDS, length).tolist()
        hypothesis = [word if generator.random() < similar else str(generator.choice(WORDS))
                      for word in reference if generator.random() < 0.95]
        condition = "long" if number < count / 10 else "test"
        pairs.append((condition, "w " * length, " ".join(reference), " ".join(hypothesis)))
    return pairs


@pytest.mark.parametrize(("count", "similar"), [(200, 0.9), (200, 0.2), (5, 0.5), (40, 0.0)])
def test_corpus_scores_equal_sacrebleu(tmp_path, count, similar):
    pairs = random_pairs(count, similar)
    statistics = score(written(tmp_path, pairs), tmp_path)
    ordinary = [(r, h) for condition, _, r, h in pairs if condition == "test"]
    long = [(r, h) for condition, s, r, h in pairs
            if condition == "long" or len(s.split()) > 20]
    for metric, scorer, part in [("bleu", sacrebleu.corpus_bleu, ordinary),
                                 ("chrf", sacrebleu.corpus_chrf, ordinary),
                                 ("bleu_long", sacrebleu.corpus_bleu, long)]:
        references, hypotheses = zip(*part, strict=True)
        expected = scorer(list(hypotheses), [list(references)]).score
        assert statistics.score(METRICS[metric]) == pytest.approx(expected, abs=1e-9), metric


def test_resampled_scores_equal_sacrebleu(tmp_path):
    pairs = random_pairs(30, 0.7)
    statistics = score(written(tmp_path, pairs), tmp_path)
    counts = np.random.default_rng(1).integers(0, 3, size=(6, len(pairs)))
    table = statistics.table(METRICS["bleu"].columns)
    for row, value in zip(counts, METRICS["bleu"].value(counts @ table), strict=True):
        drawn = [pair for pair, times in zip(pairs, row, strict=True)
                 for _ in range(times) if pair[0] == "test"]
        expected = sacrebleu.corpus_bleu([h for *_, h in drawn], [[r for _, _, r, _ in drawn]])
        assert value == pytest.approx(expected.score, abs=1e-9)


def test_precisions_without_a_match_are_smoothed_as_sacrebleu_does():
    for hypothesis, reference in [("a b c d e", "a x b y c z"), ("a b", "a b"), ("", "a b"),
                                  ("x y z w", "a b c d"), ("a b c d", "a b c q d e f")]:
        sums = np.array(bleu_statistics(hypothesis, reference), dtype=float)
        expected = sacrebleu.corpus_bleu([hypothesis], [[reference]]).score
        assert bleu(sums) == pytest.approx(expected, abs=1e-9)


def test_perfect_and_empty_translations(tmp_path):
    perfect = [("test", "s", f"Ein Satz mit Nummer {n} .", f"Ein Satz mit Nummer {n} .")
               for n in range(3)]
    statistics = score(written(tmp_path, perfect), tmp_path)
    assert statistics.score(METRICS["bleu"]) == pytest.approx(100)
    assert statistics.score(METRICS["chrf"]) == pytest.approx(100)
    empty = score(written(tmp_path, [(*pair[:3], "") for pair in perfect]), tmp_path)
    assert empty.score(METRICS["bleu"]) == empty.score(METRICS["chrf"]) == 0


def test_a_metric_without_items_has_no_value(tmp_path):
    statistics = score(written(tmp_path, [("test", "short", "kurz", "kurz")]), tmp_path)
    assert math.isnan(statistics.score(METRICS["bleu_long"]))
    assert math.isnan(chrf(np.zeros(18)))


def test_long_items_stand_apart(tmp_path):
    right, wrong = "eins zwei drei vier fünf", "sechs sieben acht neun zehn"
    pairs = [("test", "s  s", right, right), ("long", "l", right, wrong)]
    statistics = score(written(tmp_path, pairs), tmp_path)
    assert statistics.score(METRICS["bleu"]) == pytest.approx(100)
    assert statistics.score(METRICS["bleu_long"]) == 0
    assert statistics.columns["source_words"].tolist() == [2, 1]


def test_predictions_must_fit_the_test_set(tmp_path):
    predictions = written(tmp_path, random_pairs(5, 0.5))
    with pytest.raises(UserError, match="1 items without a prediction"):
        score(predictions[1:], tmp_path)


def test_text_without_spaces_is_scored_by_characters(tmp_path):
    """With sacreBLEU's char tokenizer; a BLEU of words would be one word a sentence."""
    pairs = [("test", "a b", "彼は水泳が得意ではなかった。", "彼は水泳が好きではなかった。"),
             ("test", "a", "成功を祈るわ。", "成功を祈ります。")]
    statistics = score(written(tmp_path, pairs, "char"), tmp_path)
    expected = sacrebleu.corpus_bleu([h for *_, h in pairs], [[r for _, _, r, _ in pairs]],
                                     tokenize="char").score
    assert statistics.score(METRICS["bleu_char"]) == pytest.approx(expected, abs=1e-9)
    assert 30 < expected < 90
    assert all(math.isnan(statistics.score(METRICS[name])) for name in ("bleu", "bleu_long"))
    assert "tok:char" in METRICS["bleu_char"].signature


def test_the_signature_is_sacrebleus():
    assert METRICS["bleu"].signature == (
        f"nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:{sacrebleu.__version__}")
    assert METRICS["chrf"].signature.startswith("nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no")
    assert next(iter(METRICS)) == "bleu"


def test_the_lectures_example(tmp_path):
    """Jurafsky and Martin, "Machine Translation": the first candidate resembles the reference more.

    The source is "la verdad, cuya madre es la historia, émula del tiempo, ..." (Borges, after
    Cervantes).
    """
    reference = ("truth, whose mother is history, rival of time, storehouse of deeds, witness for "
                 "the past, example and adviser to the present, and warning for the future.")
    candidates = [
        "truth, whose mother is history, voice of time, deposit of actions, witness for the past, "
        "example and warning for the present, and warning for the future",
        "the truth, which mother is the history, émula of time, deposition of actions, witness of "
        "the past, example and notice of the present, warning of it for coming"]
    first, second = (score(written(tmp_path, [("test", "la verdad, cuya madre es la historia",
                                               reference, candidate)]), tmp_path)
                     for candidate in candidates)
    for metric in ("bleu", "chrf"):
        assert first.score(METRICS[metric]) > second.score(METRICS[metric])
    # Counted by hand, commas as words of their own: of the first candidate's 32 words the
    # reference lacks voice, deposit, actions, the second "warning" and the third "for".
    assert first.columns["bleu_total_1"].tolist() == [32]
    assert first.columns["bleu_matches_1"].tolist() == [27]
