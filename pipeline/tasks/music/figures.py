"""Figures of a music model: loss along the pieces, what it expected, and pieces to listen to.

A network composes two pieces: scores to read and change as MIDI files, WAV files to listen to, and
a picture of their rolls.
"""

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from pipeline.drawing.parts import legend_below, lines_behind, title
from pipeline.drawing.saving import row_of, save
from pipeline.drawing.style import ORANGE, SHARES, SMALL, WIDTH, Styled
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


@Styled()
def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write nll_by_step.png; of networks expected.png, composition-<n>.mid and .wav and their PNG.
    """
    items = read_items(test)
    row = row_of(directory)
    save(_by_step(items, predictions, row), directory, "nll_by_step")
    if isinstance(system, Expects):
        save(_expected(system, Rolls(test, "test")[0], items[0].id, row), directory, "expected")
    if isinstance(system, RollModel):
        rolls = compose(system.eval(), Composing(COMPOSITIONS, COMPOSED_STEPS))
        write_pieces(rolls, directory)
        save(_rolls(rolls, row), directory, "compositions")


def _by_step(items: list[Item], predictions: dict[str, list[Prediction]], row: str) -> Figure:
    """The mean of the second, third, ... step of pieces, and how many pieces are so long."""
    figure = Figure(figsize=(SMALL, 4.2))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    places = np.minimum(np.concatenate([np.arange(item.predicted) for item in items]), LONGEST)
    counts = np.bincount(places)
    occupied = np.flatnonzero(counts)
    for variant, answers in predictions.items():
        losses = np.concatenate([nats(answer, item) for answer, item in zip(
            aligned(answers, [item.id for item in items]), items, strict=True)])
        above.plot(occupied + 2, np.bincount(places, losses)[occupied] / counts[occupied],
                   marker=".", label=variant)
    above.set(ylabel="loss, nats a step")
    below.bar(occupied + 2, counts[occupied], width=0.8)
    below.set(xlabel=f"step of the piece (the last: {LONGEST + 2} and later)",
              ylabel="steps of\nall pieces")
    for axes in (above, below):
        lines_behind(axes)
    if len(predictions) > 1:
        legend_below(figure, above)
    title(figure, f"How well {row} foresees a step, by its place in {len(items)} test pieces")
    return figure


def _expected(system: Expects, roll: Roll, identity: str, row: str) -> Figure:
    """How probable each key was, in grey, and what sounded, as rings."""
    roll = roll[:LONGEST_SHOWN]
    figure = Figure(figsize=(WIDTH, 4.6))
    axes = figure.subplots()
    shades = _show(axes, roll[1:], system.expected(roll))
    steps, keys = np.nonzero(roll[1:])
    axes.scatter(steps + 2, keys + LOWEST, s=12, facecolors="none", edgecolors=ORANGE,
                 label="keys that sounded")
    axes.set(xlabel="step of the piece")
    figure.colorbar(shades, ax=axes, label="probability that the key sounds", fraction=0.03,
                    pad=0.01)
    legend_below(figure)
    title(figure, f"What {row} expected of each key at each step of {identity}, from the second on")
    return figure


def _rolls(rolls: list[Roll], row: str) -> Figure:
    figure = Figure(figsize=(WIDTH, 0.6 + 2.2 * len(rolls)))
    panels = figure.subplots(len(rolls), 1, sharex=True, squeeze=False)[:, 0]
    for number, (axes, roll) in enumerate(zip(panels, rolls, strict=True), start=1):
        _show(axes, roll, roll, first=1)
        axes.set_title(f"composition-{number}", loc="left")
    panels[-1].set(xlabel="step (black: the key sounds)")
    title(figure, f"Pieces that {row} composed")
    return figure


def _show(axes: Axes, roll: Roll, shades: NDArray, first: int = 2) -> AxesImage:
    """`shades` [T, KEYS] from white (0) to black (1), cut to the keys around those of `roll`.

    Steps are counted from `first`.
    """
    keys = np.flatnonzero(roll.any(axis=0)) + LOWEST
    image = axes.imshow(
        shades.T, cmap=SHARES, vmin=0, vmax=1, origin="lower", aspect="auto",
        interpolation="nearest", extent=(first - 0.5, first + len(shades) - 0.5, LOWEST - 0.5,
                                         LOWEST + shades.shape[1] - 0.5))
    if len(keys):
        axes.set_ylim(keys[0] - 2.5, keys[-1] + 2.5)
    axes.set_ylabel("MIDI pitch (60: middle C)")
    return image
