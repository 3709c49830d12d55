"""Gradients that reach a state, the pictures of one unit, and which figures a system gets."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.nn.cells import Cell, layer
from pipeline.storage.files import read_json
from pipeline.tasks.memory import figures
from pipeline.tasks.memory.shared.answers import Number, OneOf
from pipeline.tasks.memory.shared.gradients import gradient_norms
from pipeline.tasks.memory.shared.stability import Cliff, impulse_left, spectrum
from tests.tasks.memory.test_systems import baseline, net

ELMAN = {"by_lag-plain", "gradient", "factors", "eigenvalues", "impulse", "cliff"}


def norms_by_differences(through, output: nn.Linear, answer: Number | OneOf,
                         inputs: torch.Tensor, targets: torch.Tensor, time: int) -> float:
    """Mean norm of dL/d state_time, by moving each part of the state a little."""
    with torch.no_grad():
        state = through.start(inputs.shape[1])
        if time:
            _, state = through.unrolled(inputs[:time], state)

        def losses(moved: tuple[torch.Tensor, ...]) -> torch.Tensor:
            last = moved[0]
            if time < len(inputs):
                _, (last, *_) = through.unrolled(inputs[time:], moved)
            outputs = output(last[0])
            return torch.stack([answer.loss(outputs[row : row + 1], targets[row : row + 1])
                                for row in range(len(targets))])

        slopes = []
        for part in range(through.states):
            for unit in range(through.hidden_size):
                step = [torch.zeros_like(tensor) for tensor in state]
                step[part][..., unit] = 1e-5
                up, down = (losses(tuple(tensor + sign * change for tensor, change
                                         in zip(state, step, strict=True))) for sign in (1, -1))
                slopes.append((up - down) / 2e-5)
        return float(torch.stack(slopes).norm(dim=0).mean())


@pytest.mark.parametrize("cell", ["elman", "elman-sigmoid", "elman-relu", "lstm", "gru-torch"])
@pytest.mark.parametrize("answer", [Number(), OneOf(["x", "y"])])
def test_gradient_norms_are_those_of_differences(cell: Cell, answer: Number | OneOf,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    if isinstance(answer, OneOf):  # cross entropy in double precision
        monkeypatch.setattr(OneOf, "loss", lambda self, outputs, targets: (
            nn.functional.cross_entropy(outputs, targets, reduction="sum")))
    torch.manual_seed(5)
    through = layer(cell, 2, 3).double()
    output = nn.Linear(3, answer.outputs).double()
    inputs = torch.randn(4, 2, 2).double()
    targets = torch.rand(2).double() if isinstance(answer, Number) else torch.tensor([0, 1])
    found = gradient_norms(through, output, answer, inputs, targets)
    assert found.shape == (5,)
    for time in range(5):
        expected = norms_by_differences(through, output, answer, inputs, targets, time)
        assert float(found[time]) == pytest.approx(expected, rel=1e-4)


def test_what_is_left_of_an_impulse() -> None:
    steps = np.arange(30)
    # ReLU: w^t exactly; tanh: a contraction by less than w; sigmoid: by at most w / 4 a step.
    assert impulse_left(1.25, "relu", 30) == pytest.approx(1.25**steps)
    assert impulse_left(0.8, "relu", 30) == pytest.approx(0.8**steps)
    assert impulse_left(0.8, "tanh", 2) == pytest.approx(
        [np.tanh(1), np.tanh(0.8 * np.tanh(1))])
    sigmoid = impulse_left(1.25, "sigmoid", 30)
    assert np.all(sigmoid[1:] <= 1.25 / 4 * sigmoid[:-1] + 1e-15)
    # Above one, tanh keeps the impulse at the fixed point h = tanh(1.25 h), 0.7104 by iteration.
    assert impulse_left(1.25, "tanh", 200)[-1] == pytest.approx(0.7104, abs=1e-4)


def test_the_cliffs_gradient_is_that_of_its_loss() -> None:
    cliff = Cliff(steps=20)
    for w, b in [(5.0, -2.6), (5.0, -2.7), (2.0, 0.3)]:
        around = 1e-6 * np.array([1, -1])
        by_w, by_b = (-np.diff(losses)[0] / 2e-6 for losses in (
            cliff.loss(w + around, np.array(b)), cliff.loss(np.array(w), b + around)))
        assert cliff.gradient(w, b) == pytest.approx((by_w, by_b), rel=1e-5)
    one_step = Cliff(steps=1, start=0.5)
    expected = (1 / (1 + np.exp(-(2 * 0.5 - 1.0))) - 0.7) ** 2
    assert float(one_step.loss(np.array(2.0), np.array(-1.0))) == pytest.approx(expected)


def test_clipping_bounds_a_step_and_keeps_its_direction() -> None:
    cliff = Cliff()
    start = (5.6, -2.35)
    free, clipped = (cliff.descent(start, 2.0, clip, 20) for clip in (np.inf, 0.01))
    gradient = np.array(cliff.gradient(*start))
    assert free[1] == pytest.approx(np.array(start) - 2 * gradient)
    assert clipped[1] == pytest.approx(
        np.array(start) - 2 * 0.01 * gradient / np.linalg.norm(gradient))
    lengths = [np.linalg.norm(np.diff(path, axis=0), axis=1).max() for path in (free, clipped)]
    assert lengths[1] <= 0.02 + 1e-12 < lengths[0]


def test_eigenvalues_of_a_rotation() -> None:
    turn = 0.9 * torch.tensor([[0.6, -0.8], [0.8, 0.6]])
    assert sorted(spectrum(turn), key=lambda value: value.imag) == pytest.approx(
        [0.54 - 0.72j, 0.54 + 0.72j])


@pytest.mark.parametrize(("cell", "expected"), [
    ("elman-relu", ELMAN), ("lstm", {"by_lag-plain", "gradient"}), (None, {"by_lag-plain"})])
def test_a_system_gets_its_figures(tracks: dict[str, Path], cell: Cell | None,
                                   expected: set[str], tmp_path: Path) -> None:
    folder = tracks["recall"]
    system = baseline(folder, tmp_path) if cell is None else net(folder, cell=cell)
    answers = list(system.predict(folder / "test", None))
    (tmp_path / "figures").mkdir()
    figures.draw(system, {"plain": answers}, folder / "test", tmp_path / "figures")
    found = {path.stem: path.read_bytes() for path in (tmp_path / "figures").iterdir()}
    assert found.keys() == expected
    table = found.pop("by_lag-plain").decode().splitlines()
    assert all(content.startswith(b"\x89PNG") for content in found.values())
    lags = sorted({item["lag"] for item in read_json(folder / "test" / "items.json")})
    assert table[0].split() == ["lag", "items", "right,", "%"]
    assert [int(line.split()[0]) for line in table[1:]] == lags
