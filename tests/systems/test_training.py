"""The trainer: exact resume after a kill, early stopping, clipping, divergence."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from pipeline.entries import SystemSettings, TrainingSettings
from pipeline.errors import UserError
from pipeline.systems import training
from pipeline.systems.base import NeuralSystem, Run, seeded

ROOT = Path(__file__).resolve().parents[2]


class ToySettings(SystemSettings):
    training: TrainingSettings


class Interrupted(Exception):
    """Stands for a kill, within this process."""


class ToyBatches:
    """Twenty batches of a noisy linear problem in an order that differs from epoch to epoch."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def plan(self, epoch: int) -> list[int]:
        return torch.randperm(20, generator=seeded(self.seed * 1000 + epoch)).tolist()

    def load(self, description: int) -> dict[str, Tensor]:
        x = torch.randn(8, 10, generator=seeded(description))
        return {"x": x, "y": x.sum(dim=1, keepdim=True)}


class ToySystem(NeuralSystem):
    """A regression with dropout and a state carried over batches; can kill its own process."""

    Settings = ToySettings

    def __init__(self, settings: ToySettings, spec: dict, kill_at: int = -1,
                 stop_at: int = -1) -> None:
        super().__init__(settings, spec)
        torch.manual_seed(0)
        self.network = nn.Sequential(nn.Linear(10, 20), nn.Dropout(0.2), nn.Linear(20, 1))
        self.state = torch.zeros(1)
        self.kill_at = kill_at
        self.stop_at = stop_at
        self.batches_seen = 0

    def batches(self, data: Path, split: str, seed: int) -> ToyBatches:
        return ToyBatches(seed)

    def loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, float]:
        if self.training:
            if self.batches_seen == self.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            if self.batches_seen == self.stop_at:
                raise Interrupted
            self.batches_seen += 1
        self.state = (0.5 * self.state + batch["x"].mean()).detach()
        error = self.network(batch["x"]) + self.state - batch["y"]
        return error.square().sum(), float(len(error))

    def begin_epoch(self, training: bool) -> None:
        self.state = torch.zeros(1)

    def carried(self) -> dict[str, Tensor]:
        return {"state": self.state}

    def take_carried(self, tensors: dict[str, Tensor]) -> None:
        self.state = tensors["state"]

    def predict(self, data: Path, variant: object) -> Iterator[dict]:
        yield {"id": "0"}


def settings(**changes: object) -> ToySettings:
    values = {"epochs": 4, "optimizer": "adam", "learning_rate": 1e-2, "schedule": "cosine",
              "warmup_steps": 3, "weight_decay": 0.0, "gradient_clip": 1.0, "patience": 2,
              **changes}
    return ToySettings(track="t", model="m", training=TrainingSettings(**values))


def weights_hash(system: NeuralSystem) -> str:
    return hashlib.sha256(b"".join(
        tensor.numpy().tobytes() for tensor in system.state_dict().values())).hexdigest()


def train(work: Path, kill_at: int = -1, **changes: object) -> tuple[str, list[dict]]:
    system = ToySystem(settings(**changes), {}, kill_at)
    curve = system.fit(Path("."), Run(seed=1, work=work))
    return weights_hash(system), curve


def train_in_child(work: Path, kill_at: int) -> int:
    """Train in a process of its own that kills itself with SIGKILL before batch `kill_at`."""
    code = ("from pathlib import Path; from pipeline.systems import training; "
            "from tests.systems.test_training import train; training.SEGMENT_BATCHES = 7; "
            f"train(Path({str(work)!r}), {kill_at})")
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True).returncode


@pytest.fixture(autouse=True)
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "SEGMENT_BATCHES", 7)


@pytest.mark.parametrize("kill_at", [3, 20, 31, 45])
def test_killed_run_resumes_to_the_weights_of_an_uninterrupted_run(tmp_path: Path,
                                                                   kill_at: int) -> None:
    straight = train(tmp_path / "straight")
    assert train_in_child(tmp_path / "killed", kill_at) == -signal.SIGKILL
    assert train(tmp_path / "killed") == straight


def test_finished_run_is_taken_up_without_training_again(tmp_path: Path) -> None:
    straight = train(tmp_path)
    system = ToySystem(settings(), {}, kill_at=0)
    system.fit(Path("."), Run(seed=1, work=tmp_path))
    assert weights_hash(system) == straight[0]


def test_another_seed_gives_other_weights(tmp_path: Path) -> None:
    system = ToySystem(settings(), {})
    system.fit(Path("."), Run(seed=2, work=tmp_path / "two"))
    assert weights_hash(system) != train(tmp_path / "one")[0]


def test_best_weights_are_kept_and_patience_ends_training(tmp_path: Path) -> None:
    # A learning rate this large overshoots, so the first epochs are the best ones.
    system = ToySystem(settings(epochs=30, learning_rate=3.0), {})
    curve = system.fit(Path("."), Run(seed=1, work=tmp_path))
    losses = [point["validation_loss"] for point in curve]
    assert len(curve) < 30
    assert losses.index(min(losses)) == len(losses) - 1 - 2
    system.eval().begin_epoch(training=False)
    batches = ToyBatches(1)
    total = sum(float(system.loss(batches.load(i))[0].detach()) for i in batches.plan(0))
    assert total / 160 == pytest.approx(min(losses), rel=1e-5)


def test_gradient_is_clipped_by_norm(tmp_path: Path) -> None:
    """What the optimizer has got in its only step."""
    norms = []

    def note(optimizer: torch.optim.Optimizer, *_: object) -> None:
        gradients = [p.grad.flatten() for group in optimizer.param_groups for p in group["params"]]
        norms.append(float(torch.cat(gradients).norm()))

    system = ToySystem(settings(epochs=1, gradient_clip=0.01), {})
    system.batches = lambda data, split, seed: OneBatch()  # type: ignore[method-assign]
    hook = register_optimizer_step_post_hook(note)
    try:
        system.fit(Path("."), Run(seed=1, work=tmp_path))
    finally:
        hook.remove()
    assert norms == [pytest.approx(0.01, rel=1e-4)]


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_every_optimizer_clips_in_half_precision(
        tmp_path: Path, optimizer: str) -> None:
    system = ToySystem(settings(optimizer=optimizer, gradient_clip=0.5, patience=0), {})
    curve = system.fit(Path("."), Run(seed=1, work=tmp_path, precision="bf16"))
    assert curve[-1]["loss"] < curve[0]["loss"]


def test_a_gradient_that_is_not_clipped_is_as_under_a_bound_never_reached(tmp_path: Path) -> None:
    unclipped, _ = train(tmp_path / "unclipped", gradient_clip=0.0)
    assert unclipped == train(tmp_path / "high", gradient_clip=1e30)[0]
    assert unclipped != train(tmp_path / "clipped", gradient_clip=0.1)[0]


class OneBatch(ToyBatches):
    def __init__(self) -> None:
        super().__init__(seed=1)

    def plan(self, epoch: int) -> list[int]:
        return [0]


def test_divergence_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="diverged.*learning rate"):
        train(tmp_path, learning_rate=1e30, gradient_clip=1e30, epochs=20)
