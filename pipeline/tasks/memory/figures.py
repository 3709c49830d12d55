"""Figures of the memory laboratory: error by lag, gradients on their way back, stability.

Every system shows its score at each lag. A net shows how much gradient reaches each of its states;
an Elman net also the factors that make it vanish or explode, the eigenvalues of its recurrent
weights, and the lecture's pictures of nets of one unit: what is left of an impulse, and gradient
descent at a cliff with and without clipping.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

from pipeline.nn import bptt
from pipeline.nn.cells import Activation, Elman, Layer
from pipeline.storage.files import read_json
from pipeline.storage.png import save_png
from pipeline.storage.predictions import Prediction, aligned
from pipeline.systems.base import System
from pipeline.tasks.memory.scoring import judged
from pipeline.tasks.memory.shared.answers import Answer
from pipeline.tasks.memory.shared.batching import LaggedBatches
from pipeline.tasks.memory.shared.gradients import elman_net, gradient_norms
from pipeline.tasks.memory.shared.stability import Cliff, impulse_left, spectrum

SEQUENCES = 32
STEPS_AFTER_IMPULSE = 40
EIGENVALUES = (0.8, 1.0, 1.25)
ACTIVATIONS: tuple[Activation, ...] = ("tanh", "sigmoid", "relu")
TINY = 1e-30  # stands for a zero on a logarithmic axis


@runtime_checkable
class Net(Protocol):
    """A system of one recurrent layer and an output layer that reads its last state."""

    layer: Layer
    output: nn.Linear
    answer: Answer


def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write by_lag.png; of a net gradient.png; of an Elman net also factors.png,
    eigenvalues.png, impulse.png and cliff.png.
    """
    figures: dict[str, Callable[[], Figure]] = {
        "by_lag": lambda: _by_lag(predictions, read_json(test / "items.json"))}
    if isinstance(system, Net):
        figures["gradient"] = lambda: _gradient(system, test)
        layer, output = system.layer, system.output
        if isinstance(layer, Elman):
            figures |= {"factors": lambda: _factors(elman_net(layer, output), test),
                        "eigenvalues": lambda: _eigenvalues(layer),
                        "impulse": _impulse, "cliff": _cliff}
    for name, figure in figures.items():
        save_png(figure(), directory / f"{name}.png", tight=True)


def _by_lag(predictions: dict[str, list[Prediction]], items: list[dict]) -> Figure:
    """Mean squared error or accuracy at each lag of the test set."""
    classes = isinstance(items[0]["target"], str)
    lags = np.array([item["lag"] for item in items])
    shown = np.unique(lags)
    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    for variant, answers in predictions.items():
        values = np.array([judged(found, item["target"]) for found, item in zip(
            aligned(answers, [item["id"] for item in items]), items, strict=True)])
        axes.plot(shown, [(100 if classes else 1) * values[lags == lag].mean() for lag in shown],
                  marker="o", label=variant)
    axes.set(xlabel="lag, steps", ylabel="accuracy, %" if classes else "mean squared error",
             ylim=(0, 102 if classes else None))
    axes.set_xscale("log", base=2)
    axes.legend()
    return figure


def _longest(test: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs [time, items, features] and targets of some test sequences of the greatest length."""
    batches = LaggedBatches(test, "test", SEQUENCES, seed=0)
    lengths = batches.inputs.lengths
    batch = batches.load(np.flatnonzero(lengths == lengths.max())[:SEQUENCES])
    return batch["inputs"], batch["targets"]


def _gradient(system: Net, test: Path) -> Figure:
    inputs, targets = _longest(test)
    norms = gradient_norms(system.layer, system.output, system.answer, inputs, targets).numpy()
    figure = Figure(figsize=(6, 4))
    _back_in_time(figure.subplots(), norms[::-1],
                  "norm of the loss's gradient by the state there",
                  f"mean of {len(targets)} test sequences")
    return figure


def _factors(net: bptt.Elman, test: Path) -> Figure:
    inputs, _ = _longest(test)
    states, _ = bptt.forward(net, inputs[:, :1], torch.zeros(1, len(net.b)))
    norms = torch.linalg.matrix_norm(bptt.factors_product(net, states)[:, 0].double(), 2).numpy()
    figure = Figure(figsize=(6, 4))
    _back_in_time(figure.subplots(), norms,
                  "largest singular value of dh(last) / dh(there)", "one test sequence")
    return figure


def _back_in_time(axes: Axes, values: np.ndarray, label: str, title: str) -> None:
    axes.semilogy(np.arange(len(values)), np.maximum(values, TINY), marker=".")
    axes.set(xlabel="steps back from the last", ylabel=label, title=title)
    axes.grid(alpha=0.3)


def _eigenvalues(layer: Elman) -> Figure:
    """In the complex plane, beside the unit circle."""
    found = spectrum(layer.weight_hh_l0.detach())
    figure = Figure(figsize=(5, 5))
    axes = figure.subplots()
    circle = np.exp(2j * np.pi * np.linspace(0, 1, 200))
    axes.plot(circle.real, circle.imag, color="grey", linewidth=0.8)
    axes.plot(found.real, found.imag, marker="o", linestyle="none")
    axes.set(xlabel="real part", ylabel="imaginary part", aspect="equal",
             title=f"eigenvalues of W, largest modulus {np.abs(found).max():.2f}")
    return figure


def _impulse() -> Figure:
    """Nets of one unit, whose recurrent weight is their eigenvalue."""
    figure = Figure(figsize=(12, 4))
    steps = np.arange(1, STEPS_AFTER_IMPULSE + 1)
    for axes, weight in zip(figure.subplots(1, len(EIGENVALUES), sharey=True), EIGENVALUES,
                            strict=True):
        for activation in ACTIVATIONS:
            left = impulse_left(weight, activation, STEPS_AFTER_IMPULSE)
            axes.semilogy(steps, np.maximum(left, TINY), marker=".", label=activation)
        axes.set(xlabel="steps after an impulse of 1", title=f"eigenvalue {weight:g}",
                 ylim=(1e-10, 1e5))
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("what is left of it in the state")
    figure.axes[0].legend()
    figure.tight_layout()
    return figure


def _cliff() -> Figure:
    """Gradient descent on the loss of one sigmoid unit, with and without clipping."""
    cliff = Cliff()
    weight, bias = np.linspace(3.8, 6.6, 241), np.linspace(-3.4, -1.4, 241)
    loss = cliff.loss(weight[None], bias[:, None])
    paths = {"without clipping": cliff.descent((5.6, -2.35), 2.0, np.inf, 60),
             "norm clipped at 0.05": cliff.descent((5.6, -2.35), 2.0, 0.05, 60)}
    figure = Figure(figsize=(11, 4.5))
    left = figure.add_subplot(1, 2, 1, projection="3d")
    left.plot_surface(*np.meshgrid(weight, bias), loss, cmap="viridis", rcount=60, ccount=60)
    left.view_init(elev=35, azim=-120)
    left.set(xlabel="w", ylabel="b", zlabel="loss")
    right = figure.add_subplot(1, 2, 2)
    right.contourf(weight, bias, loss, levels=24, cmap="viridis")
    for (label, path), colour in zip(paths.items(), ("tab:red", "white"), strict=True):
        right.plot(*path.T, marker=".", color=colour, label=label)
    right.set(xlabel="recurrent weight w", ylabel="bias b", xlim=weight[[0, -1]],
              ylim=bias[[0, -1]])
    right.legend()
    return figure
