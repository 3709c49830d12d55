"""The generators: what each training reads, and that a turn is learnt and gone on with."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.entries import TrainingSettings
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.trajectory.scoring import METRICS, score
from pipeline.tasks.trajectory.systems.recurrent import Generator, Settings

SAMPLED = {"fall": 0.25, "least": 0.0}


def new(extracted: Path, **changes: object) -> Generator:
    training = TrainingSettings(
        epochs=25, optimizer="adam", learning_rate=0.02, schedule="cosine", warmup_steps=0,
        weight_decay=0.0, gradient_clip=1.0, patience=0)
    torch.manual_seed(3)
    return Generator(Settings.model_validate({
        "track": "t", "model": "recurrent", "cell": "gru-torch",
        "hidden": 12, "reads": "own", "batch_paths": 16, "training": training, **changes}),
        read_json(extracted / "fit/spec.json"))


def batch(extracted: Path, epoch: int = 0) -> dict:
    paths = torch.from_numpy(np.load(extracted / "fit/valid.npy")).float()
    return {"paths": paths, "epoch": epoch}


def units(extracted: Path) -> torch.Tensor:
    """The validation paths without mean and in units of each coordinate."""
    spec = read_json(extracted / "fit/spec.json")
    states = np.load(extracted / "fit/valid.npy")
    return torch.from_numpy((states - spec["mean"]) / spec["scale"]).float()


@torch.no_grad()
def by_hand(system: Generator, correct: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    """Answers of a torch cell that reads the correct state where `kept` [steps] says so."""
    cell = torch.nn.GRUCell(system.layer.input_size, system.layer.hidden_size)
    cell.load_state_dict({name.removesuffix("_l0"): value
                          for name, value in system.layer.state_dict().items()})
    answer, found = correct[:, 0], []
    state = torch.tanh(answer @ system.initial.weight.T + system.initial.bias)
    for step in range(correct.shape[1] - 1):
        read = correct[:, step] if kept[step] else answer
        state = cell(read, state)
        answer = read + state @ system.output.weight.T + system.output.bias
        found.append(answer)
    return torch.stack(found, dim=1)


@pytest.mark.parametrize(("reads", "epoch", "correct"), [
    ("own", 0, False), ("correct", 0, True), (SAMPLED, 0, True), (SAMPLED, 4, False),
    ({"fall": 1.0, "least": 1.0}, 9, True)])
def test_what_is_read_in_training(reads: object, epoch: int, correct: bool,
                                  extracted: Path) -> None:
    system = new(extracted, reads=reads).train()
    paths = units(extracted)
    kept = torch.tensor([True] + [correct] * 5)
    squares = (by_hand(system, paths, kept) - paths[:, 1:]) ** 2
    total, terms = system.loss(batch(extracted, epoch))
    assert float(total.detach()) == pytest.approx(float(squares.sum()) / 2, rel=1e-4)
    assert terms == 60


def test_a_mixture_is_drawn_step_by_step(extracted: Path) -> None:
    system = new(extracted, reads=SAMPLED)
    paths = units(extracted)
    torch.manual_seed(5)
    inputs = system._sampled(paths[:, :-1], truth=0.5)
    kept = (inputs == paths[:, :-1]).all(dim=2)
    assert kept[:, 0].all()
    assert 0.2 < kept[:, 1:].float().mean() < 0.8
    for row in range(len(paths)):
        expected = by_hand(system, paths[row][None], kept[row])
        torch.testing.assert_close(system.follow(inputs[row][None]), expected)


@pytest.mark.parametrize("reads", ["own", "correct", SAMPLED])
@torch.no_grad()
def test_validation_always_runs_free(reads: object, extracted: Path) -> None:
    system = new(extracted, reads=reads).eval()
    paths = units(extracted)
    free = by_hand(system, paths, torch.tensor([True] + [False] * 5))
    assert float(system.loss(batch(extracted))[0]) == pytest.approx(
        float(((free - paths[:, 1:]) ** 2).sum()) / 2, rel=1e-4)


def test_gradients_pass_through_its_own_answers_only_when_it_runs_free(extracted: Path) -> None:
    gradients = []
    for reads in ("own", {"fall": 9.0, "least": 0.0}):
        system = new(extracted, reads=reads).train()
        system.loss(batch(extracted, epoch=1))[0].backward()
        gradients.append(system.output.bias.grad)
    assert (gradients[0] - gradients[1]).abs().max() > 1e-3 * gradients[0].abs().max()


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru-torch"])
def test_it_learns_to_go_on_turning(cell: str, extracted: Path, tmp_path: Path) -> None:
    system = new(extracted, cell=cell)
    system.fit(extracted / "fit", Run(seed=1, work=tmp_path / "work"))
    answers = list(system.predict(extracted / "test", None))
    assert score(answers, extracted / "test").score(METRICS["nrmse"]) < 0.2
    system.save(tmp_path / "model")
    assert list(Generator.load(tmp_path / "model").predict(extracted / "test", None)) == answers


def test_answers_are_in_the_units_of_the_corpus(extracted: Path) -> None:
    system = new(extracted)
    torch.nn.init.zeros_(system.output.weight)
    torch.nn.init.constant_(system.output.bias, 1.0)
    scale = np.array(read_json(extracted / "fit/spec.json")["scale"])
    starts = np.load(extracted / "test/starts.npy")
    found = np.array([one["path"] for one in system.predict(extracted / "test", None)])
    for step in range(6):
        assert found[:, step] == pytest.approx(starts + (step + 1) * scale, abs=1e-4)
