"""The recurrent classifiers: what each reads, where its loss sits, and that order is learnt."""

import math
from pathlib import Path

import pytest
import torch

from pipeline.entries import TrainingSettings
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.sentence.scoring import METRICS, score
from pipeline.tasks.sentence.shared.batching import Sentences
from pipeline.tasks.sentence.shared.classifier import Classifier
from pipeline.tasks.sentence.systems import all_steps, attention_pooling, last_step
from pipeline.tasks.sentence.systems.all_steps import step_weights

MODULES = {"last_step": last_step, "all_steps": all_steps, "attention_pooling": attention_pooling}
CLASSES = {"last_step": last_step.LastStep, "all_steps": all_steps.AllSteps,
           "attention_pooling": attention_pooling.PooledClassifier}
OWN = {"last_step": {}, "all_steps": {"weight_growth": 1.0},
       "attention_pooling": {"attention": 6, "query": "learnt"}}
TOKENS = torch.tensor([[1, 2, 3, 4], [3, 1, 0, 0]])
LENGTHS = torch.tensor([4, 2])
LABELS = torch.tensor([0, 1])
BATCH = {"tokens": TOKENS, "lengths": LENGTHS, "labels": LABELS}


def new(model: str, extracted: Path, **changes: object) -> Classifier:
    training = TrainingSettings(
        epochs=8, optimizer="adam", learning_rate=0.02, schedule="cosine", warmup_steps=0,
        weight_decay=0.0, gradient_clip=1.0, patience=0)
    values = {"embedding": 8, "hidden": 10, "layers": 1, "dropout_words": 0.0,
              "dropout_input": 0.0, "dropout_hidden": 0.0, "dropout_output": 0.0,
              "dropout_weights": 0.0, "batch_sentences": 16, **OWN[model]}
    settings = MODULES[model].Settings.model_validate(
        {"track": "t", "model": model, "training": training,
         **values, **changes})
    torch.manual_seed(3)
    return CLASSES[model](settings, read_json(extracted / "fit/spec.json"))


@torch.no_grad()
def states_by_hand(system: Classifier, sentence: list[int]) -> torch.Tensor:
    """States [words, hidden] of an LSTM cell stepped over one sentence (one layer)."""
    layer = system.lstm.layers[0]
    cell = torch.nn.LSTMCell(layer.input_size, layer.hidden_size)
    cell.load_state_dict({name.removesuffix("_l0"): value
                          for name, value in layer.state_dict().items()})
    state, found = None, []
    for token in sentence:
        state = cell(system.embedding[token][None], state)
        found.append(state[0][0])
    return torch.stack(found)


def read_by_hand(system: Classifier, states: torch.Tensor) -> torch.Tensor:
    scores = states @ system.output.weight.T + system.output.bias
    return scores - scores.exp().sum(dim=-1, keepdim=True).log()


def sentences() -> list[list[int]]:
    return [row[:length] for row, length in zip(TOKENS.tolist(), LENGTHS.tolist(), strict=True)]


@pytest.mark.parametrize("model", ["last_step", "all_steps"])
def test_the_answer_is_that_of_the_last_word(model: str, extracted: Path) -> None:
    system = new(model, extracted).eval()
    found = system.log_probabilities(TOKENS, LENGTHS)
    for row, sentence in enumerate(sentences()):
        along = read_by_hand(system, states_by_hand(system, sentence))
        torch.testing.assert_close(found[row], along[-1])
        torch.testing.assert_close(system.answers_along(sentence), along)


def test_the_loss_on_the_last_step(extracted: Path) -> None:
    system = new("last_step", extracted)
    expected = sum(-read_by_hand(system, states_by_hand(system, sentence))[-1, label]
                   for sentence, label in zip(sentences(), LABELS, strict=True))
    loss, terms = system.loss(BATCH)
    torch.testing.assert_close(loss, expected)
    assert terms == 2


def test_the_loss_on_all_steps_is_weighted_in_training_only(extracted: Path) -> None:
    system = new("all_steps", extracted)
    losses = [-read_by_hand(system, states_by_hand(system, sentence))[:, label]
              for sentence, label in zip(sentences(), LABELS, strict=True)]
    weights = [torch.tensor([0.1, 0.2, 0.3, 0.4]), torch.tensor([1 / 3, 2 / 3])]
    expected = sum(w @ found for w, found in zip(weights, losses, strict=True))
    torch.testing.assert_close(system.train().loss(BATCH)[0], expected)
    torch.testing.assert_close(system.eval().loss(BATCH)[0], losses[0][-1] + losses[1][-1])


@pytest.mark.parametrize(("growth", "expected"), [
    (0.0, [[0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0, 0]]),
    (2.0, [[1 / 30, 4 / 30, 9 / 30, 16 / 30], [0.2, 0.8, 0, 0]]),
    (200.0, [[0, 0, 0, 1.0], [0, 1.0, 0, 0]])])
def test_step_weights_by_hand(growth: float, expected: list) -> None:
    torch.testing.assert_close(step_weights(LENGTHS, 4, growth), torch.tensor(expected),
                               atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("query", ["learnt", "last"])
def test_the_answer_of_attention_is_that_of_the_weighted_average(query: str,
                                                                 extracted: Path) -> None:
    system = new("attention_pooling", extracted, query=query).requires_grad_(False).eval()
    found = system.log_probabilities(TOKENS, LENGTHS)
    for row, sentence in enumerate(sentences()):
        states = states_by_hand(system, sentence)
        keys = torch.tanh(states @ system.pooling.key.weight.T + system.pooling.key.bias)
        asked = keys[-1] if query == "last" else system.pooling.query
        exponentials = [math.exp(float(key @ asked)) for key in keys]
        weights = torch.tensor([e / sum(exponentials) for e in exponentials])
        torch.testing.assert_close(found[row], read_by_hand(system, weights @ states))
        torch.testing.assert_close(system.attention_weights(sentence), weights)


@pytest.mark.parametrize("model", MODULES)
def test_neither_padding_nor_its_words_change_an_answer(model: str, extracted: Path) -> None:
    system = new(model, extracted, layers=2).eval()
    longer = torch.cat([TOKENS, torch.full((2, 3), 2)], dim=1)
    longer[1, 2:] = 4
    torch.testing.assert_close(system.log_probabilities(longer, LENGTHS),
                               system.log_probabilities(TOKENS, LENGTHS))


@pytest.mark.parametrize("model", MODULES)
def test_it_learns_an_order_that_a_bag_of_words_cannot_see(model: str, extracted: Path,
                                                           tmp_path: Path) -> None:
    system = new(model, extracted)
    system.fit(extracted / "fit", Run(seed=1, work=tmp_path / "work"))
    statistics = score(list(system.predict(extracted / "test", None)), extracted / "test")
    assert statistics.score(METRICS["accuracy"]) > 95
    system.save(tmp_path / "model")
    again = type(system).load(tmp_path / "model")
    assert list(again.predict(extracted / "test", None)) == list(
        system.predict(extracted / "test", None))


@pytest.mark.parametrize("where", ["dropout_words", "dropout_input", "dropout_hidden",
                                   "dropout_output", "dropout_weights"])
def test_dropout_acts_in_training_only(where: str, extracted: Path) -> None:
    system = new("last_step", extracted, layers=2, **{where: 0.5})
    outputs = [system.train(mode).states(TOKENS) for mode in [True] * 2 + [False] * 2]
    assert not torch.equal(outputs[0], outputs[1])
    assert torch.equal(outputs[2], outputs[3])


def test_an_epoch_has_every_sentence_once_and_little_padding(extracted: Path) -> None:
    batches = Sentences(extracted / "fit", "train", batch=16, seed=4)
    plans = [batches.plan(epoch) for epoch in range(2)]
    for plan in plans:
        assert sorted(item for items in plan for item in items.tolist()) == list(range(240))
        spans = [batches.load(items)["lengths"] for items in plan]
        assert all(int(lengths.max() - lengths.min()) <= 2 for lengths in spans)
    assert [items.tolist() for items in plans[0]] != [items.tolist() for items in plans[1]]
    again = Sentences(extracted / "fit", "train", batch=16, seed=4).plan(1)
    assert [items.tolist() for items in again] == [items.tolist() for items in plans[1]]
    other = Sentences(extracted / "fit", "train", batch=16, seed=5).plan(1)
    assert [items.tolist() for items in other] != [items.tolist() for items in plans[1]]
