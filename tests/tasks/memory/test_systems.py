"""The constant by hand; the net against a cell stepped by hand, and that it learns to remember."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.entries import TrainingSettings
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.memory.scoring import METRICS, score
from pipeline.tasks.memory.shared.answers import Number, OneOf, answer_of
from pipeline.tasks.memory.shared.storage import Inputs
from pipeline.tasks.memory.systems import constant, recurrent

ENTRY = {"track": "t"}
TRAINING = TrainingSettings(
    epochs=12, optimizer="adam", learning_rate=0.02, schedule="cosine", warmup_steps=0,
    weight_decay=0.0, gradient_clip=1.0, patience=0)


def net(folder: Path, **changes: Any) -> recurrent.Recurrent:
    settings = recurrent.Settings.model_validate(
        {**ENTRY, "model": "recurrent", "cell": "lstm", "hidden": 12, "batch_sequences": 16,
         "training": TRAINING, **changes})
    torch.manual_seed(3)
    return recurrent.Recurrent(settings, read_json(folder / "fit/spec.json"))


def baseline(folder: Path, work: Path) -> constant.Constant:
    system = constant.Constant(constant.Settings(**ENTRY, model="constant"),
                               read_json(folder / "fit/spec.json"))
    assert system.fit(folder / "fit", Run(seed=1, work=work)) == []
    return system


def test_the_constant_number_is_the_training_mean(tracks: dict[str, Path],
                                                  tmp_path: Path) -> None:
    system = baseline(tracks["adding"], tmp_path)
    mean = np.load(tracks["adding"] / "fit/train.targets.npy").mean(dtype=float)
    found = list(system.predict(tracks["adding"] / "test", None))
    assert len(found) == 60
    assert [prediction["answer"] for prediction in found] == pytest.approx([mean] * 60, abs=1e-5)


def test_the_constant_class_is_the_commonest(tracks: dict[str, Path], tmp_path: Path) -> None:
    system = baseline(tracks["recall"], tmp_path)
    counts = np.bincount(np.load(tracks["recall"] / "fit/train.targets.npy"))
    found = list(system.predict(tracks["recall"] / "test", None))
    assert {prediction["answer"] for prediction in found} == {"abc"[counts.argmax()]}


def test_the_last_state_of_each_sequence_answers(tracks: dict[str, Path]) -> None:
    system = net(tracks["recall"], cell="elman").eval().requires_grad_(False)
    system.output.bias.zero_()  # the state alone decides
    folder = tracks["recall"] / "test"
    inputs = Inputs(folder, "test")
    weights = dict(system.named_parameters())
    expected = []
    for item in range(len(inputs)):
        h = torch.zeros(12)
        for x in torch.from_numpy(inputs.padded(np.array([item]))[0][:, 0]):
            h = torch.tanh(weights["layer.weight_ih_l0"] @ x + weights["layer.bias_ih_l0"]
                           + weights["layer.weight_hh_l0"] @ h + weights["layer.bias_hh_l0"])
        scores = weights["output.weight"] @ h + weights["output.bias"]
        expected.append("abc"[int(scores.argmax())])
    assert len(set(expected)) > 1
    assert [found["answer"] for found in system.predict(folder, None)] == expected


@pytest.mark.parametrize(("corpus", "cell"), [("adding", "lstm"), ("recall", "gru-torch")])
def test_it_learns_to_remember(tracks: dict[str, Path], corpus: str, cell: str,
                               tmp_path: Path) -> None:
    folder = tracks[corpus]
    system = net(folder, cell=cell)
    system.fit(folder / "fit", Run(seed=1, work=tmp_path))
    statistics = score(list(system.predict(folder / "test", None)), folder / "test")
    if corpus == "adding":
        assert statistics.score(METRICS["mse"]) < 0.02
    else:
        assert statistics.score(METRICS["accuracy"]) > 95


def test_losses_and_answers_by_hand() -> None:
    outputs = torch.tensor([[1.5], [-1.0]])
    number = answer_of({"classes": None})
    assert isinstance(number, Number)
    assert float(number.loss(outputs, torch.tensor([1.0, 1.0]))) == pytest.approx(0.25 + 4)
    assert number.values(outputs) == [1.5, -1.0]
    classes = answer_of({"classes": ["x", "y"]})
    assert isinstance(classes, OneOf)
    scores = torch.log(torch.tensor([[0.25, 0.75], [0.5, 0.5]]))
    assert float(classes.loss(scores, torch.tensor([0, 1]))) == pytest.approx(np.log(8))
    assert classes.values(scores) == ["y", "x"]


@pytest.mark.parametrize("answer", [Number(), OneOf(["x", "y", "z"])])
def test_the_gradient_of_a_loss_is_that_of_autograd(answer: Number | OneOf) -> None:
    torch.manual_seed(1)
    outputs = torch.randn(5, answer.outputs, dtype=torch.double, requires_grad=True)
    targets = (torch.randn(5).double() if isinstance(answer, Number)
               else torch.randint(3, (5,)))
    loss = answer.loss(outputs, targets) if isinstance(answer, Number) else (
        torch.nn.functional.cross_entropy(outputs, targets, reduction="sum"))
    (expected,) = torch.autograd.grad(loss, outputs)
    torch.testing.assert_close(answer.gradient(outputs.detach(), targets), expected)
