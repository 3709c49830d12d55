"""Figures of a music model: loss along the pieces, what it expected, and pieces to listen to.

A network composes two pieces: scores to read and change as MIDI files, WAV files to listen to, and
a picture of their rolls.
"""

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.storage.png import save_png
from pipeline.storage.predictions import Prediction, aligned
from pipeline.systems.base import System
from pipeline.tasks.music.scoring import nats
from pipeline.tasks.music.shared.composing import Composing, compose
from pipeline.tasks.music.shared.items import Item, read_items
from pipeline.tasks.music.shared.pieces import write_pieces
from pipeline.tasks.music.shared.roll_model import RollModel
from pipeline.tasks.music.shared.rolls import LOWEST, Roll, Rolls

COMPOSITIONS = 2
COMPOSED_STEPS = 48
LONGEST = 64
LONGEST_SHOWN = 96


@runtime_checkable
class Expects(Protocol):
    """A system that says of each key how probable it was."""

    def expected(self, roll: Roll) -> NDArray[np.float32]:
        """[T - 1, KEYS], at the steps of `roll` [T, KEYS] from the second on."""


def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write nll_by_step.png; of networks expected.png, composition-<n>.mid and .wav and their PNG.
    """
    items = read_items(test)
    save_png(_by_step(items, predictions), directory / "nll_by_step.png", tight=True)
    if isinstance(system, Expects):
        save_png(_expected(system, Rolls(test, "test")[0], items[0].id),
                 directory / "expected.png", tight=True)
    if isinstance(system, RollModel):
        rolls = compose(system.eval(), Composing(COMPOSITIONS, COMPOSED_STEPS))
        write_pieces(rolls, directory)
        save_png(_rolls(rolls), directory / "compositions.png", tight=True)


def _by_step(items: list[Item], predictions: dict[str, list[Prediction]]) -> Figure:
    """The mean of the second, third, ... step of pieces."""
    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    places = np.minimum(np.concatenate([np.arange(item.predicted) for item in items]), LONGEST)
    counts = np.bincount(places)
    occupied = np.flatnonzero(counts)
    for variant, answers in predictions.items():
        losses = np.concatenate([nats(answer, item) for answer, item in zip(
            aligned(answers, [item.id for item in items]), items, strict=True)])
        axes.plot(occupied + 2, np.bincount(places, losses)[occupied] / counts[occupied],
                  marker=".", label=variant)
    axes.set(xlabel=f"step of the piece (the last point: {LONGEST + 2} and later)",
             ylabel="nats a step")
    axes.legend()
    return figure


def _expected(system: Expects, roll: Roll, identity: str) -> Figure:
    """How probable each key was, in grey, and what sounded, as rings."""
    roll = roll[:LONGEST_SHOWN]
    figure = Figure(figsize=(12, 5))
    axes = figure.subplots()
    _show(axes, roll[1:], system.expected(roll))
    steps, keys = np.nonzero(roll[1:])
    axes.scatter(steps, keys + LOWEST, s=12, facecolors="none", edgecolors="tab:red")
    axes.set(title=f"{identity}: rings sound, grey was expected", xlabel="step")
    return figure


def _rolls(rolls: list[Roll]) -> Figure:
    figure = Figure(figsize=(10, 2.6 * len(rolls)))
    for number, roll in enumerate(rolls, start=1):
        axes = figure.add_subplot(len(rolls), 1, number)
        _show(axes, roll, roll)
        axes.set_title(f"composition-{number}", fontsize=8, loc="left")
    figure.tight_layout()
    return figure


def _show(axes: Axes, roll: Roll, shades: NDArray) -> None:
    """`shades` [T, KEYS] from white (0) to black (1), cut to the keys around those of `roll`."""
    keys = np.flatnonzero(roll.any(axis=0)) + LOWEST
    axes.imshow(shades.T, cmap="gray_r", vmin=0, vmax=1, origin="lower", aspect="auto",
                interpolation="nearest",
                extent=(-0.5, len(shades) - 0.5, LOWEST - 0.5, LOWEST + shades.shape[1] - 0.5))
    if len(keys):
        axes.set_ylim(keys[0] - 2.5, keys[-1] + 2.5)
    axes.set_ylabel("MIDI pitch")
