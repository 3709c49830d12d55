"""The time-delay network sees N units, no more, and every position of the text once an epoch."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.entries import TrainingSettings
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.language_model.shared.contexts import Contexts
from pipeline.tasks.language_model.shared.stream import Stream
from pipeline.tasks.language_model.systems.time_delay import Settings, TimeDelayLanguageModel


def settings(**changes: Any) -> Settings:
    training = TrainingSettings(
        epochs=5, optimizer="adam", learning_rate=0.02, schedule="cosine", warmup_steps=0,
        weight_decay=0.0, gradient_clip=1.0, patience=0)
    values = {"context": 3, "embedding": 5, "hidden": 7, "dropout": 0.0, "batch_positions": 16}
    return Settings(track="lm-word", model="time_delay",
                    training=training, **{**values, **changes})


@pytest.fixture
def system(extracted: Path) -> TimeDelayLanguageModel:
    torch.manual_seed(4)
    return TimeDelayLanguageModel(settings(), read_json(extracted / "fit" / "spec.json"))


def test_losses_are_projection_tanh_and_softmax(system: TimeDelayLanguageModel) -> None:
    tokens = [3, 4, 2, 5, 3]
    losses = system.token_losses(np.array(tokens))
    table, weights = system.embedding.weight, system.hidden
    for place, target in enumerate(tokens):
        context = ([system.end] * 3 + tokens)[place : place + 3]
        a = weights.bias + sum(weights.weight[:, 5 * i : 5 * i + 5] @ table[token]
                               for i, token in enumerate(context))
        scores = system.output.bias + system.output.weight @ torch.tanh(a)
        expected = scores.exp().sum().log() - scores[target]
        assert losses[place] == pytest.approx(expected.item(), abs=1e-5)


def test_units_beyond_the_context_do_not_matter_and_those_within_do(
        system: TimeDelayLanguageModel) -> None:
    losses = system.token_losses(np.array([2, 3, 4, 5, 3]))
    beyond = system.token_losses(np.array([6, 3, 4, 5, 3]))
    assert beyond[4] == losses[4] and beyond[3] != losses[3]


def test_losses_do_not_depend_on_how_much_is_read_at_once(system: TimeDelayLanguageModel,
                                                          extracted: Path) -> None:
    tokens = Stream.read(extracted / "fit", "train").tokens
    whole = system.token_losses(tokens)
    assert system.token_losses(tokens, positions=7) == pytest.approx(whole, abs=1e-5)
    for length in (1, 7, 31):
        assert np.array_equal(system.token_losses(tokens[:length]), whole[:length])


def test_an_epoch_has_every_position_once_in_an_order_of_its_own() -> None:
    contexts = Contexts(np.arange(10, 33), end=1, size=2, batch=5, seed=3, shuffle=True)
    plans = [contexts.plan(epoch) for epoch in (0, 1, 0)]
    assert [len(plan) for plan in plans] == [5, 5, 5]
    orders = [np.concatenate(plan).tolist() for plan in plans]
    assert sorted(orders[0]) == list(range(23)) and orders[0] == orders[2] != orders[1]
    batch = contexts.load(np.array([0, 1, 22]))
    assert batch["contexts"].tolist() == [[1, 1], [1, 10], [30, 31]]
    assert batch["targets"].tolist() == [10, 11, 32]


def test_it_learns_the_text_and_survives_saving(system: TimeDelayLanguageModel, extracted: Path,
                                                tmp_path: Path) -> None:
    curve = system.fit(extracted / "fit", Run(seed=1, work=tmp_path / "work"))
    best = min(point["validation_loss"] for point in curve)
    assert best < 0.6 * math.log(system.types)
    assert system.validation_loss(extracted / "fit", None) == pytest.approx(best, abs=1e-5)
    system.save(tmp_path / "model")
    again = TimeDelayLanguageModel.load(tmp_path / "model")
    assert list(again.predict(extracted / "test", None)) == list(
        system.predict(extracted / "test", None))


def test_it_writes_what_it_expects(system: TimeDelayLanguageModel) -> None:
    """A state carried unit by unit gives the scores of the whole context."""
    read = torch.tensor([[system.end], [3], [4], [2]])
    at_once, _ = system.eval().advance(read, system.begin(1))
    state = system.begin(1)
    for token in read:
        stepwise, state = system.advance(token[None], state)
    torch.testing.assert_close(stepwise, at_once)
    assert -torch.log_softmax(at_once, 1)[0, 5].item() == pytest.approx(
        system.token_losses(np.array([3, 4, 2, 5]))[-1], abs=1e-5)
