"""The recurrent language model: its losses, its state, and what must not change them."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from pipeline.entries import TrainingSettings
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.language_model.shared.stream import Stream
from pipeline.tasks.language_model.systems.recurrent import RecurrentLanguageModel, Settings


def settings(**changes: Any) -> Settings:
    training = TrainingSettings(
        epochs=20, optimizer="adam", learning_rate=0.02, schedule="cosine", warmup_steps=0,
        weight_decay=0.0, gradient_clip=1.0, patience=0)
    values = {"cell": "lstm", "embedding": 12, "hidden": 10, "layers": 2, "tied": True,
              "dropout_words": 0.0, "dropout_input": 0.0, "dropout_hidden": 0.0,
              "dropout_output": 0.0, "dropout_weights": 0.0, "window": 7, "batch_streams": 3}
    return Settings(track="lm-word", model="recurrent", training=training,
                    **{**values, **changes})


@pytest.fixture
def system(extracted: Path) -> RecurrentLanguageModel:
    torch.manual_seed(4)
    return RecurrentLanguageModel(settings(), read_json(extracted / "fit" / "spec.json"))


def test_losses_do_not_depend_on_how_much_is_read_at_once(system: RecurrentLanguageModel,
                                                          extracted: Path) -> None:
    tokens = Stream.read(extracted / "fit", "train").tokens
    whole = system.token_losses(tokens, steps=len(tokens))
    for steps in (1, 5, 64):
        assert system.token_losses(tokens, steps) == pytest.approx(whole, abs=1e-5)


def test_losses_do_not_depend_on_training_batches(extracted: Path) -> None:
    spec = read_json(extracted / "fit" / "spec.json")
    found = []
    for streams, window in ((1, 3), (4, 9)):
        torch.manual_seed(4)
        model = RecurrentLanguageModel(settings(batch_streams=streams, window=window), spec)
        found.append([answer["nll"] for answer in model.predict(extracted / "test", None)])
    assert found[0] == found[1]


def test_each_token_is_predicted_from_all_before_it_after_a_sentence_end(
        system: RecurrentLanguageModel) -> None:
    tokens = np.array([3, 4, 1, 1, 2])
    losses = system.token_losses(tokens)
    for place in range(len(tokens)):
        read = torch.tensor([system.end, *tokens[:place].tolist()])[:, None]
        hidden, _ = system(read, system.stack.start(1))
        scores = functional.linear(hidden[-1, 0], system.embedding, system.output_bias)
        expected = -torch.log_softmax(scores, 0)[tokens[place]]
        assert losses[place] == pytest.approx(expected.item(), abs=1e-5)


def test_the_state_is_carried_over_batches_and_forgotten_at_an_epochs_begin(
        system: RecurrentLanguageModel, extracted: Path) -> None:
    batches = system.batches(extracted / "fit", "train", seed=1)
    first, second = (batches.load(description) for description in batches.plan(0)[:2])
    system.begin_epoch(training=True)
    system.loss(first)
    carried = {name: tensor.clone() for name, tensor in system.carried().items()}
    after_first = system.loss(second)[0].item()
    system.begin_epoch(training=True)
    assert system.carried() == {}
    assert system.loss(second)[0].item() != pytest.approx(after_first, abs=1e-4)
    system.take_carried(carried)
    assert system.loss(second)[0].item() == after_first


def test_validation_loss_is_the_loss_of_the_whole_text_read_in_one_stream(
        extracted: Path) -> None:
    spec = read_json(extracted / "fit" / "spec.json")
    system = RecurrentLanguageModel(settings(batch_streams=1), spec).eval()
    tokens = Stream.read(extracted / "fit", "valid").tokens
    batches = system.batches(extracted / "fit", "valid", seed=1)
    system.begin_epoch(training=False)
    total = sum(system.loss(batches.load(item))[0].item() for item in batches.plan(0))
    hidden, _ = system(torch.tensor(tokens[:-1].tolist())[:, None], system.stack.start(1))
    scores = functional.linear(hidden[:, 0], system.embedding, system.output_bias)
    expected = functional.cross_entropy(scores, torch.tensor(tokens[1:].tolist()), reduction="sum")
    assert total == pytest.approx(expected.item(), rel=1e-5)


def test_dropout_acts_in_training_only(extracted: Path) -> None:
    system = RecurrentLanguageModel(
        settings(dropout_words=0.3, dropout_input=0.3, dropout_hidden=0.3, dropout_output=0.3,
                 dropout_weights=0.3),
        read_json(extracted / "fit" / "spec.json"))
    tokens = torch.tensor([[2], [3], [4]])
    outputs = [system.train(mode)(tokens, system.stack.start(1))[0] for mode in [True] * 2
               + [False] * 2]
    assert not torch.equal(outputs[0], outputs[1])
    assert torch.equal(outputs[2], outputs[3])


def test_it_learns_the_text_and_survives_saving(system: RecurrentLanguageModel, extracted: Path,
                                                tmp_path: Path) -> None:
    curve = system.fit(extracted / "fit", Run(seed=1, work=tmp_path / "work"))
    assert curve[-1]["validation_loss"] < 0.75 * math.log(len(system.spec["vocabulary"]))
    system.save(tmp_path / "model")
    again = RecurrentLanguageModel.load(tmp_path / "model")
    assert list(again.predict(extracted / "test", None)) == list(
        system.predict(extracted / "test", None))
    assert system.parameters_count == sum(t.numel() for t in system.tensors().values())


@pytest.mark.parametrize("cell", ["elman", "gru-keep", "gru-take", "gru-torch", "lstm",
                                  "lstm-peephole"])
def test_hello_is_learnt(cell: str) -> None:
    """The lecture's example of four letters: h, e, l, l each predict what follows them.

    The first l is followed by an l and the second by an o, so the state has to tell them apart.
    """
    letters = ["<unk>", "\n", "h", "e", "l", "o"]
    hello = torch.tensor([[letters.index(letter)] for letter in "hello"])
    torch.manual_seed(1)
    system = RecurrentLanguageModel(
        settings(cell=cell, embedding=4, hidden=8, layers=1, tied=False),
        {"unit": "character", "vocabulary": letters})
    optimizer = torch.optim.Adam(system.parameters(), lr=0.05)
    for _ in range(200):
        system.begin_epoch(training=True)
        total, terms = system.loss({"inputs": hello[:-1], "targets": hello[1:]})
        assert terms == 4
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    hidden, _ = system(hello[:-1], system.begin(1))
    scores = functional.linear(hidden[:, 0], system.output, system.output_bias)
    probabilities = scores.softmax(1).gather(1, hello[1:])
    assert (probabilities > 0.99).all()


def test_an_output_layer_of_its_own_has_its_own_width(extracted: Path) -> None:
    spec = read_json(extracted / "fit" / "spec.json")
    system = RecurrentLanguageModel(settings(tied=False), spec)
    assert system.output.shape == (len(spec["vocabulary"]), 10)
    assert system.embedding.shape == (len(spec["vocabulary"]), 12)
    assert "output_weight" not in RecurrentLanguageModel(settings(), spec).tensors()
