"""Each tagger on a text that a reader can tag: what it learns, and answers to bad input."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.errors import UserError
from pipeline.hmm.viterbi import viterbi
from pipeline.storage.files import read_json
from pipeline.storage.seal import seal
from pipeline.systems.base import Run, System
from pipeline.tasks.tagging.scoring import METRICS, score
from pipeline.tasks.tagging.shared.tagger import Tagger
from pipeline.tasks.tagging.shared.text import NO_TAG, Text
from pipeline.tasks.tagging.systems import bilstm, crf, hmm, most_frequent

ENTRY: dict[str, Any] = {"track": "toy"}
HMM = {"suffix": 3, "rare": 10, "prior": 0.5, "candidates": 8, "least": 0.001,
       "variants": {"bigram": {"transitions": "bigram"}, "trigram": {"transitions": "trigram"}}}
CRF = {"min_count": 1, "l2": 0.1, "iterations": 20, "report_every": 10}
BILSTM = {"embedding": 16, "letter_embedding": 8, "letter_hidden": 8, "hidden": 16, "layers": 1,
          "output": "crf", "dropout": 0.0, "word_dropout": 0.5, "batch_sentences": 8,
          "training": {"epochs": 24, "optimizer": "adam", "learning_rate": 0.02,
                       "schedule": "cosine", "warmup_steps": 0, "weight_decay": 0.0,
                       "gradient_clip": 5.0, "patience": 0}}
MODELS = {"most_frequent": (most_frequent.MostFrequentTag, {}),
          "hmm": (hmm.HiddenMarkovModel, HMM), "crf": (crf.ConditionalRandomField, CRF),
          "bilstm": (bilstm.BilstmTagger, BILSTM | {"output": "softmax", "layers": 2}),
          "bilstm_crf": (bilstm.BilstmTagger, BILSTM)}


def new(model: str, extracted: Path, **changes: Any) -> Any:
    kind, settings = MODELS[model]
    torch.manual_seed(1)
    return kind(kind.settings_class()(**ENTRY, model=model, **settings | changes),
                read_json(extracted / "fit" / "spec.json"))


@pytest.fixture(scope="module")
def fitted(extracted: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, System]:
    found = {model: new(model, extracted) for model in MODELS}
    for model, system in found.items():
        system.fit(extracted / "fit", Run(seed=1, work=tmp_path_factory.mktemp(model)))
    return found


def answers(system: Any, extracted: Path) -> dict[str, list[str]]:
    variant = next(iter(system.settings.variants.values()), None)
    return {item["id"]: item["tags"] for item in system.predict(extracted / "test", variant)}


@pytest.mark.parametrize("model", list(MODELS))
def test_bad_input_is_answered(fitted: dict[str, System], extracted: Path, model: str) -> None:
    found = answers(fitted[model], extracted)
    assert found["test-1"] == []
    # Words and a tag that training never saw: an answer all the same, and it counts as wrong.
    assert len(found["test-2"]) == 2 and not {"UH"} & set(found["test-2"])
    statistics = score([{"id": key, "tags": tags} for key, tags in found.items()],
                       extracted / "test")
    assert statistics.columns["correct"][2] == 0
    assert np.isfinite(statistics.score(METRICS["accuracy"]))


@pytest.mark.parametrize("model", ["hmm", "crf", "bilstm", "bilstm_crf"])
def test_context_decides_about_homographs(fitted: dict[str, System], extracted: Path,
                                          model: str) -> None:
    found = answers(fitted[model], extracted)
    assert found["test-0"] == ["DT", "NN", "MD", "VB", "."]  # the horse can walk .


def test_the_most_frequent_tag_is_blind_to_context(fitted: dict[str, System],
                                                   extracted: Path) -> None:
    found = answers(fitted["most_frequent"], extracted)
    # A noun is the most frequent tag of all, so that of unknown words; "walk" is either tag equally
    # often, and nouns are more frequent.
    assert found["test-0"] == ["DT", "NN", "MD", "NN", "."]
    assert found["test-2"] == ["NN", "NN"]


@pytest.mark.parametrize("model", ["crf", "bilstm", "bilstm_crf"])
def test_unseen_tags_are_left_out_of_the_validation_loss(fitted: dict[str, System],
                                                         extracted: Path, model: str) -> None:
    assert NO_TAG in Text.read(extracted / "fit", "valid").tags
    system: Any = fitted[model]
    if model == "crf":
        assert np.isfinite(system._loss(crf._Sentences(system.features, Text.read(
            extracted / "fit", "valid"))))
        return
    source = system.batches(extracted / "fit", "valid", 1)
    parts = [system.loss(source.load(description)) for description in source.plan(0)]
    # A softmax leaves out the word, a CRF its sentence of three.
    assert sum(terms for _, terms in parts) == (30 - 3 if model == "bilstm" else 30 - 9)
    assert all(torch.isfinite(total) for total, _ in parts)


def test_transition_tables_are_for_those_who_have_them(fitted: dict[str, System]) -> None:
    tags = fitted["hmm"].spec["tags"]
    for model, system in fitted.items():
        assert isinstance(system, Tagger)
        found = system.transition_scores()
        assert (found is None) == (model in ("most_frequent", "bilstm"))
        if found is not None:
            assert found[1].shape == (len(tags) + 1, len(tags) + 1)
    what, table = fitted["hmm"].transition_scores()
    assert what == "probability" and table.sum(axis=1) == pytest.approx(1.0)
    # A modal is always followed by a verb's base; interpolation takes a little away.
    assert table[tags.index("MD"), tags.index("VB")] > 0.9


def test_the_hmm_gives_known_words_their_relative_frequencies(extracted: Path) -> None:
    system = new("hmm", extracted, prior=0.0, least=0.0)
    system.fit(extracted / "fit", Run(seed=1, work=extracted))
    tags = system.spec["tags"]
    found = system.candidates(["will", "dog"])
    # `will` is a modal and a noun twelve times each: P(will | tag) = 12 / C(tag), up to P(will).
    counts = system.counts.sum(axis=0)
    scores = dict(zip(found.states[0, :2].tolist(), np.exp(found.scores[0, :2]), strict=True))
    assert scores[tags.index("MD")] / scores[tags.index("NN")] == pytest.approx(
        counts[tags.index("NN")] / counts[tags.index("MD")])
    assert found.counts.tolist() == [2, 1]


def test_a_capital_does_not_hide_a_known_word(fitted: dict[str, System]) -> None:
    system: Any = fitted["hmm"]
    found = system.candidates(["Walk", "Qqqq"])
    # Capitals are names here; of what `walk` can be, half of the probability is left.
    verb = [float(found.scores[row][found.states[row] == system.spec["tags"].index("VB")][0])
            for row in range(2)]
    assert verb[0] > verb[1] + 1


def test_higher_orders_agree_when_they_see_the_same(fitted: dict[str, System],
                                                    extracted: Path) -> None:
    system: Any = fitted["hmm"]
    text = Text.read(extracted / "fit", "valid")
    candidates = system.candidates(text.forms)
    bigram = system.transitions["bigram"]
    tags = len(bigram)
    blind = np.broadcast_to(bigram, (tags, tags, tags))  # a trigram that ignores the first tag
    answers = [viterbi(table, candidates, text.words, text.offsets) for table in (bigram, blind)]
    for a, b in zip(*answers, strict=True):
        assert a == pytest.approx(b)


def test_the_crf_stops_where_the_penalty_balances_the_likelihood(extracted: Path,
                                                                 tmp_path: Path) -> None:
    system = new("crf", extracted, iterations=80, report_every=80, l2=1.0)
    curve = system.fit(extracted / "fit", Run(seed=1, work=tmp_path))
    assert curve[-1]["step"] == 80
    # At the maximum the gradient of the likelihood is l2 times the weights; take a step off it.
    sentences = crf._Sentences(system.features, Text.read(extracted / "fit", "train"))

    def objective() -> float:
        penalty = sum(float(p.detach().square().sum()) for p in system._parameters())
        return system._loss(sentences) * len(sentences.features) + 0.5 * penalty

    best = objective()
    torch.manual_seed(0)
    directions = [torch.randn_like(p) for p in system._parameters()]
    for step in (0.02, -0.02):
        with torch.no_grad():
            for parameter, direction in zip(system._parameters(), directions, strict=True):
                parameter.add_(direction, alpha=step)
            assert objective() > best
            for parameter, direction in zip(system._parameters(), directions, strict=True):
                parameter.sub_(direction, alpha=step)


def test_words_are_hidden_by_their_rarity(extracted: Path) -> None:
    system = new("bilstm_crf", extracted, word_dropout=12.0)
    # Twelve times a word: hidden with probability one half; `the` is there 60 times.
    numbers = system.vocabulary.numbers(["bark", "the"])
    assert system.keep[numbers].tolist() == pytest.approx([0.5, 60 / 72])
    assert float(system.keep[0]) == 0.0


@pytest.mark.parametrize("model", ["most_frequent", "crf"])
def test_weights_of_another_corpus_are_refused(fitted: dict[str, System], model: str,
                                               tmp_path: Path) -> None:
    fitted[model].save(tmp_path)
    record = read_json(tmp_path / "system.json")
    record["spec"]["tags"].append("XX")
    record["spec"]["forms"].append("word")
    (tmp_path / "system.json").write_text(json.dumps(record))
    seal(tmp_path)
    with pytest.raises(UserError, match="train the system again"):
        type(fitted[model]).load(tmp_path)
