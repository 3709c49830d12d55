"""The arithmetic of the probes on answers written by hand."""

from pathlib import Path

import pytest

from pipeline.corpora.kinds import SentencePair
from pipeline.errors import UserError
from pipeline.running.evaluation import Scorer
from pipeline.scoring.item_clusters import write_clusters
from pipeline.scoring.scores import ItemStatistics
from pipeline.storage.files import write_gzip_lines, write_json
from pipeline.tasks.translation.scoring import METRICS, details, score
from pipeline.tasks.translation.shared.probe_items import (
    DegenerateSettings,
    degenerate_items,
    gender_items,
    masculine_shares,
)
from pipeline.tasks.translation.shared.probes import (
    BIGRAMS,
    bigrams_of,
    is_fluent,
    known_bigrams,
    spoken_gender,
)

TRAINING = ["the nurse helps herself", "the nurse sees the key", "he sees her"]


def scored(directory: Path, items: list[dict], answers: list[str]) -> ItemStatistics:
    write_json(directory / "scoring.json", {"tokenizer": "13a"})
    write_json(directory / "items.json", items)
    write_clusters(directory, {item["id"]: item.get("cluster", item["id"]) for item in items})
    write_gzip_lines(directory / BIGRAMS, known_bigrams(TRAINING))
    return score([{"id": item["id"], "hypothesis": answer}
                  for item, answer in zip(items, answers, strict=True)], directory)


def gendered(occupation: str, share: float, count: int) -> list[dict]:
    return [{"id": f"gender/{occupation}/{n}", "condition": "gender", "source": "s",
             "cluster": f"gender/{occupation}", "reference": "r", "masculine_share": share}
            for n in range(count)]


@pytest.mark.parametrize(("text", "gender"), [
    ("he works", "masculine"), ("the nurse helps herself", "feminine"), ("the nurse works", None),
    ("", None), ("he sees her", None), ("this is his", "masculine"), ("there", None)])
def test_the_gender_of_an_answer(text, gender):
    assert spoken_gender(text) == gender


def test_amplification_by_hand(tmp_path):
    """Engineers 75 % he in training and 4 of 4 here, nurses 20 % and 1 of 3 answered here."""
    items = gendered("engineer", 0.75, 4) + gendered("nurse/midwife", 0.2, 4)
    answers = ["he", "his car", "he and himself", "him", "he", "she", "herself", "the nurse"]
    statistics = scored(tmp_path, items, answers)
    # Majority gender in 4 + 2 of 7 answers; in training 0.75 for four of them, 0.8 for three.
    expected = 100 * (6 / 7 - (4 * 0.75 + 3 * 0.8) / 7)
    assert statistics.score(METRICS["gender_amplification"]) == pytest.approx(expected)
    assert details(statistics) == {"gender": {
        "engineer": {"he": 1.0, "she": 0.0, "he_in_training": pytest.approx(0.75)},
        "nurse/midwife": {"he": 0.25, "she": 0.5, "he_in_training": pytest.approx(0.2)}}}


def test_copying_the_training_shares_is_no_amplification(tmp_path):
    items = gendered("engineer", 0.75, 4) + gendered("nurse", 0.25, 4)
    copied = ["he", "he", "he", "she", "she", "she", "she", "he"]
    against = ["she"] * 4 + ["he"] * 4
    amplified, zero, opposite = (
        scored(tmp_path, items, answers).score(METRICS["gender_amplification"])
        for answers in (["he"] * 4 + ["she"] * 4, copied, against))
    assert (amplified, zero, opposite) == pytest.approx((25, 0, -75))


def test_a_probe_without_an_answer_has_no_amplification(tmp_path):
    statistics = scored(tmp_path, gendered("nurse", 0.2, 2), ["", "the nurse"])
    assert not statistics.score(METRICS["gender_amplification"]) > -1e9  # NaN
    assert statistics.score(METRICS["bleu"]) != statistics.score(METRICS["bleu"])  # no such items


def test_fluent_is_what_has_known_bigrams_alone():
    known = frozenset(known_bigrams(TRAINING))
    assert bigrams_of("he sees") == ["<s> he", "he sees", "sees <s>"]
    assert is_fluent("the nurse sees her", known)  # from two sentences
    assert not is_fluent("nurse the sees her", known)
    assert not is_fluent("the nurse sees", known)  # no sentence ends like that
    assert not is_fluent("her", known)  # none begins like that
    assert not is_fluent("", known)


def test_hallucinations_by_hand(tmp_path):
    items = [{"id": f"degenerate/zuku/{n}", "condition": "degenerate", "source": "zuku zuku",
              "reference": "", "translation": "key"} for n in range(5)]
    answers = ["the nurse helps herself",  # fluent, unrelated
               "the nurse sees the key",  # fluent, but about the key
               "key key key", "", "helps the nurse"]
    statistics = scored(tmp_path, items, answers)
    assert statistics.score(METRICS["hallucination"]) == pytest.approx(100 * 1 / 5)
    assert details(statistics) == {"degenerate_fluent": pytest.approx(2 / 5)}


def test_probes_leave_the_other_scores_alone(tmp_path):
    text = "one two three four five six"
    items = [{"id": "test/1", "condition": "test", "source": text, "reference": text},
             *gendered("nurse", 0.2, 1),
             {"id": "degenerate/a/40", "condition": "degenerate", "source": "a " * 40,
              "reference": "", "translation": "b"}]
    statistics = scored(tmp_path, items, [text, "he", "a b"])
    assert statistics.score(METRICS["bleu"]) == pytest.approx(100)
    assert statistics.score(METRICS["chrf"]) == pytest.approx(100)
    assert not statistics.table(METRICS["bleu_long"].columns).any()


def test_metrics_of_a_track_hold_the_probes_it_has(tmp_path):
    scorer = Scorer("translation", "any", "bleu", resamples=100, seed=1)
    text = "one two three four five six"
    ordinary = [{"id": "test/1", "condition": "test", "source": text, "reference": text}]
    row = scorer.row(scored(tmp_path, ordinary + gendered("nurse", 0.2, 1), [text, "she"]))
    assert set(row["metrics"]) == {"bleu", "chrf", "gender_amplification"}
    assert row["metrics"]["gender_amplification"]["value"] == pytest.approx(20)
    assert row["details"]["gender"]["nurse"]["she"] == 1.0 and row["n_items"] == 1
    assert "details" not in scorer.row(scored(tmp_path, ordinary, [text]))


def pair(target: str, *references: tuple[str, str], source: str = "s") -> SentencePair:
    return SentencePair("train-1", source, target, references, cluster="train-1")


def test_training_shares_count_the_first_pronoun_of_a_sentence():
    pairs = [pair("", ("nurse", "she"), ("nurse", "her"), ("engineer", "he")),
             pair("", ("nurse", "himself")), pair("", ("nurse", "her")), pair("", ("nurse", "she")),
             pair("no pronoun")]
    assert masculine_shares(pairs) == {"nurse": 0.25, "engineer": 1.0}


def test_gender_items_carry_the_training_share(capsys):
    training = [pair("", ("nurse", "he")), pair("", ("nurse", "she"))]
    nurse = pair("the nurse helps herself", ("nurse", "herself"))
    pilot = pair("the pilot helps himself", ("pilot", "himself"))
    (item,) = gender_items([nurse, pilot], training)
    assert "1 of 2 sentences are left out" in capsys.readouterr().out
    assert item == {"id": "gender/nurse/train-1", "condition": "gender", "source": "s",
                    "cluster": "gender/nurse",
                    "reference": "the nurse helps herself", "masculine_share": 0.5}
    with pytest.raises(UserError, match="no sentence for the gender probe"):
        gender_items([nurse, pair("no pronoun")], training)
    with pytest.raises(UserError, match="no pronoun for any occupation"):
        gender_items([pilot], training)


def test_repeated_words_have_one_clear_translation():
    """sa: key, always; wa: with every word; mu: door, and as often without it; ro: too rare."""
    training = ([pair("the key", source="sa wa")] * 12 + [pair("the door", source="mu wa")] * 10
                + [pair("the wall", source="mu wa")] * 10 + [pair("the roof", source="ro wa")] * 9
                + [pair("the", source="wa")] * 100)
    items = degenerate_items(DegenerateSettings(words=5, repeats=[2, 3]), training)
    shared = {"condition": "degenerate", "reference": "", "translation": "key",
              "cluster": "degenerate/sa"}
    assert items == [{"id": "degenerate/sa/2", "source": "sa sa"} | shared,
                     {"id": "degenerate/sa/3", "source": "sa sa sa"} | shared]
    with pytest.raises(UserError, match="clear translation"):
        degenerate_items(DegenerateSettings(words=1, repeats=[2]), training[12:])
