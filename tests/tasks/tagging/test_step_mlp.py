"""The perceptron that tags each word by itself: blind to context, sure of what it knows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.tagging.shared.text import NO_TAG, Text
from pipeline.tasks.tagging.systems.step_mlp import Settings, StepPerceptronTagger

SETTINGS: dict[str, Any] = {
    "track": "toy", "model": "step_mlp", "embedding": 16, "hidden": 16, "dropout": 0.0,
    "word_dropout": 0.5, "batch_sentences": 8,
    "training": {"epochs": 24, "optimizer": "adam", "learning_rate": 0.02, "schedule": "cosine",
                 "warmup_steps": 0, "weight_decay": 0.0, "gradient_clip": 5.0, "patience": 0}}


def new(extracted: Path, **changes: Any) -> StepPerceptronTagger:
    torch.manual_seed(1)
    return StepPerceptronTagger(Settings.model_validate(SETTINGS | changes),
                                read_json(extracted / "fit" / "spec.json"))


@pytest.fixture(scope="module")
def fitted(extracted: Path, tmp_path_factory: pytest.TempPathFactory) -> StepPerceptronTagger:
    system = new(extracted)
    system.fit(extracted / "fit", Run(seed=1, work=tmp_path_factory.mktemp("work")))
    return system


def test_a_word_has_one_tag_wherever_it_stands(fitted: StepPerceptronTagger,
                                               extracted: Path) -> None:
    text = Text.read(extracted / "test", "test")
    answers = [tag for answer in fitted.predict(extracted / "test", None)
               for tag in answer["tags"]]
    by_number: dict[int, set[str]] = {}
    numbers = fitted.vocabulary.numbers(text.forms)
    for word, tag in zip(text.words, answers, strict=True):
        by_number.setdefault(int(numbers[word]), set()).add(tag)
    assert all(len(tags) == 1 for tags in by_number.values())


def test_known_words_have_their_tags_and_empty_sentences_none(
        fitted: StepPerceptronTagger, extracted: Path) -> None:
    found = {answer["id"]: answer["tags"] for answer in fitted.predict(extracted / "test", None)}
    # the horse can walk . : what is always the same tag is known, "walk" is a noun or a verb
    assert [found["test-0"][place] for place in (0, 1, 4)] == ["DT", "NN", "."]
    assert found["test-1"] == []


def test_the_loss_is_that_of_single_words_whose_tag_is_known(
        fitted: StepPerceptronTagger, extracted: Path) -> None:
    text = Text.read(extracted / "fit", "valid")
    scores = fitted.eval()(torch.from_numpy(fitted.vocabulary.numbers(text.forms)))
    logs = scores.detach().log_softmax(dim=1).numpy()[text.words]
    known = text.tags != NO_TAG
    source = fitted.batches(extracted / "fit", "valid", 1)
    parts = [fitted.loss(source.load(description)) for description in source.plan(0)]
    assert 0 < sum(terms for _, terms in parts) == known.sum() < len(known)
    assert sum(float(total.detach()) for total, _ in parts) == pytest.approx(
        -logs[np.flatnonzero(known), text.tags[known]].sum(), rel=1e-4)


def test_rare_words_are_hidden_in_training_only(extracted: Path) -> None:
    system = new(extracted, word_dropout=12.0)
    words = torch.from_numpy(system.vocabulary.numbers(["bark"] * 400))
    learnt, asked = (system.train(mode)(words).detach() for mode in (True, False))
    hidden = system(torch.zeros(1, dtype=torch.int64)).detach()
    # Twelve times a word: hidden with probability one half.
    share = (learnt - hidden).abs().max(dim=1).values.lt(1e-6).float().mean()
    assert float(share) == pytest.approx(0.5, abs=0.1)
    assert torch.equal(asked, asked[:1].expand_as(asked)) and not torch.allclose(asked[0], hidden)
