"""Figures of the memory laboratory: gradients on their way back, and stability.

Every system has a table of its score at each lag, and the leaderboard a picture of all of them. A
net shows how much gradient reaches each of its states; an Elman net also the factors that make it
vanish or explode, the eigenvalues of its recurrent weights, and the lecture's pictures of nets of
one unit: what is left of an impulse, and gradient descent at a cliff with and without clipping.
"""

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from torch import nn

from pipeline.drawing.parts import legend_below, lines_behind, powers_of_ten, title
from pipeline.drawing.saving import row_of, save
from pipeline.drawing.style import GREY, LEVELS, ORANGE, SMALL, WIDTH, Styled, look
from pipeline.nn import bptt
from pipeline.nn.cells import Activation, Elman, Layer
from pipeline.storage.files import read_json, write_text
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
_IMPULSES = (1e-10, 1e5)
TINY = 1e-30  # stands for a zero on a logarithmic axis


@runtime_checkable
class Net(Protocol):
    """A system of one recurrent layer and an output layer that reads its last state."""

    layer: Layer
    output: nn.Linear
    answer: Answer


@Styled()
def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write by_lag-<variant>.txt; of a net gradient.png; of an Elman net also factors.png,
    eigenvalues.png, impulse.png and cliff.png.
    """
    items = read_json(test / "items.json")
    for variant, answers in predictions.items():
        write_text(directory / f"by_lag-{variant}.txt", _by_lag(answers, items))
    if not isinstance(system, Net):
        return
    row = row_of(directory)
    save(_gradient(system, test, row), directory, "gradient")
    layer, output = system.layer, system.output
    if isinstance(layer, Elman):
        save(_factors(elman_net(layer, output), test, row), directory, "factors")
        save(_eigenvalues(layer, row), directory, "eigenvalues")
        save(_impulse(), directory, "impulse")
        save(_cliff(), directory, "cliff")


def _by_lag(answers: list[Prediction], items: list[dict]) -> str:
    """Mean squared error, or accuracy in percent, at each lag of the test set."""
    classes = isinstance(items[0]["target"], str)
    lags = np.array([item["lag"] for item in items])
    values = np.array([judged(found, item["target"]) for found, item in zip(
        aligned(answers, [item["id"] for item in items]), items, strict=True)])
    rows = [f"{'lag':>5} {'items':>7} {'right, %' if classes else 'squared error':>14}"]
    for lag in np.unique(lags):
        mean = values[lags == lag].mean()
        rows.append(f"{lag:>5} {(lags == lag).sum():>7} "
                    + (f"{100 * mean:>14.1f}" if classes else f"{mean:>14.5f}"))
    return "\n".join(rows) + "\n"


def _longest(test: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs [time, items, features] and targets of some test sequences of the greatest length."""
    batches = LaggedBatches(test, "test", SEQUENCES, seed=0)
    lengths = batches.inputs.lengths
    batch = batches.load(np.flatnonzero(lengths == lengths.max())[:SEQUENCES])
    return batch["inputs"], batch["targets"]


def _gradient(system: Net, test: Path, row: str) -> Figure:
    inputs, targets = _longest(test)
    norms = gradient_norms(system.layer, system.output, system.answer, inputs, targets).numpy()
    return _back_in_time(
        norms[::-1], "norm of the loss's gradient\nby the state there",
        f"How much gradient reaches the states of {row}, mean of {len(targets)} test sequences")


def _factors(net: bptt.Elman, test: Path, row: str) -> Figure:
    inputs, _ = _longest(test)
    states, _ = bptt.forward(net, inputs[:, :1], torch.zeros(1, len(net.b)))
    norms = torch.linalg.matrix_norm(bptt.factors_product(net, states)[:, 0].double(), 2).numpy()
    return _back_in_time(
        norms, "largest singular value of\nd h(last) / d h(there)",
        f"What the factors of {row} make of a gradient on its way back, one test sequence")


def _back_in_time(values: np.ndarray, label: str, about: str) -> Figure:
    """Values from the last step back, beside 1, at which nothing is lost or gained."""
    figure = Figure(figsize=(SMALL, 3.8))
    axes = figure.subplots()
    shown = np.maximum(values, TINY)
    axes.plot(np.arange(len(values)), shown, marker=".")
    powers_of_ten(axes.yaxis, shown.tolist())
    axes.set(xlabel="steps back from the last", ylabel=label)
    lines_behind(axes)
    title(figure, about)
    return figure


def _eigenvalues(layer: Elman, row: str) -> Figure:
    """In the complex plane, beside the unit circle."""
    found = spectrum(layer.weight_hh_l0.detach())
    figure = Figure(figsize=(5.2, 5.2))
    axes = figure.subplots()
    circle = np.exp(2j * np.pi * np.linspace(0, 1, 200))
    axes.plot(circle.real, circle.imag, color=GREY, linewidth=1, linestyle="--",
              label="unit circle")
    axes.plot(found.real, found.imag, marker="o", linestyle="none", alpha=0.8,
              label=f"eigenvalues, largest modulus {np.abs(found).max():.2f}")
    axes.set(xlabel="real part", ylabel="imaginary part", aspect="equal")
    axes.set_adjustable("datalim")
    lines_behind(axes)
    legend_below(figure)
    title(figure, f"Eigenvalues of the recurrent weights W of {row}")
    return figure


def _impulse() -> Figure:
    """Nets of one unit, whose recurrent weight is their eigenvalue."""
    figure = Figure(figsize=(WIDTH, 3.8))
    steps = np.arange(1, STEPS_AFTER_IMPULSE + 1)
    for axes, weight in zip(figure.subplots(1, len(EIGENVALUES), sharey=True), EIGENVALUES,
                            strict=True):
        for number, activation in enumerate(ACTIVATIONS):
            left = impulse_left(weight, activation, STEPS_AFTER_IMPULSE)
            axes.plot(steps, np.maximum(left, TINY), marker=look(number).marker, markevery=4,
                      label=activation)
        powers_of_ten(axes.yaxis, _IMPULSES)
        axes.set(xlabel="steps after an impulse of 1", title=f"eigenvalue {weight:g}",
                 ylim=_IMPULSES)
        lines_behind(axes)
    figure.axes[0].set_ylabel("what is left of it in the state")
    legend_below(figure, figure.axes[0])
    title(figure, "What nets of one unit keep of an impulse, by eigenvalue and activation")
    return figure


def _cliff() -> Figure:
    """Gradient descent on the loss of one sigmoid unit, with and without clipping."""
    cliff = Cliff()
    weight, bias = np.linspace(3.8, 6.6, 241), np.linspace(-3.4, -1.4, 241)
    loss = cliff.loss(weight[None], bias[:, None])
    levels = np.linspace(0, float(loss.max()), 25)
    paths = {"without clipping": cliff.descent((5.6, -2.35), 2.0, np.inf, 60),
             "norm clipped at 0.05": cliff.descent((5.6, -2.35), 2.0, 0.05, 60)}
    figure = Figure(figsize=(WIDTH, 4.2))
    left = figure.add_subplot(1, 2, 1, projection="3d")
    left.plot_surface(*np.meshgrid(weight, bias), loss, cmap=LEVELS, rcount=60, ccount=60,
                      vmin=levels[0], vmax=levels[-1])
    left.view_init(elev=35, azim=-120)
    left.set(xlabel="recurrent weight w", ylabel="bias b", zlabel="loss")
    right = figure.add_subplot(1, 2, 2)
    shades = right.contourf(weight, bias, loss, levels=levels, cmap=LEVELS)
    for (label, path), colour in zip(paths.items(), (ORANGE, "white"), strict=True):
        right.plot(*path.T, marker=".", color=colour, label=label,
                   path_effects=[withStroke(linewidth=2.6, foreground="black")])
    right.set(xlabel="recurrent weight w", ylabel="bias b", xlim=weight[[0, -1]],
              ylim=bias[[0, -1]])
    figure.colorbar(shades, ax=right, label="loss", pad=0.02, ticks=np.arange(0, levels[-1], 0.1))
    legend_below(figure, right)
    title(figure, "The loss of one sigmoid unit has a cliff, from which gradient descent jumps")
    return figure
