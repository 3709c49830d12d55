"""Figures of who names words: confusions, accuracy by speaker, and where attention goes.

A system that weighs frames shows, of some items, its weights under their spectrogram, and of all
items where in the recording its weights lie on average: what a network needs that answers at the
last frame it must carry there, and what attends may take where it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.audio.frames import Frames
from pipeline.drawing.parts import bar_where_missing, legend_below, lines_behind, title, wrapped
from pipeline.drawing.saving import row_of, save
from pipeline.drawing.style import BLUE, FEATURES, GREY, SMALL, WIDTH, Styled, look
from pipeline.drawing.tables import confusion as table_picture
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction, aligned
from pipeline.systems.base import System
from pipeline.tasks.words.scoring import answered, confusion

SHOWN = 6  # items with their attention
PARTS = 20  # of a recording, in which weights are averaged
_SPELT_OUT = 60  # speakers whose names are legible side by side
_UNITS = {"log-mel": "log-mel, ln of energy", "mfcc": "mel cepstra of ln of energy"}


@runtime_checkable
class Attends(Protocol):
    """A system that weighs the frames of an item."""

    def attention_weights(self, frames: NDArray[np.float32],
                          speaker: str) -> NDArray[np.float32]:
        """Weights [T] of frames [T, D], which sum to 1."""


@runtime_checkable
class DrawsItself(Protocol):
    """A system that has pictures of its own."""

    def pictures(self, test: Path, place: int) -> Iterator[tuple[str, Figure]]:
        """Names and pictures of what it does with the test item of that place."""


@Styled()
def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write confusion-<variant>.png and speakers.png.

    A system that attends has attention.png and attention_places.png too, and a system may have
    others.
    """
    row = row_of(directory)
    for variant, found in predictions.items():
        save(confusions(*confusion(found, test), row_of(directory, variant)), directory,
             f"confusion-{variant}")
    items, gold = read_json(test / "test.items.json"), read_json(test / "gold.json")
    answers = {variant: [answered(one)[0] for one in aligned(found, [i["id"] for i in items])]
               for variant, found in predictions.items()}
    save(speakers(items, gold, answers, row), directory, "speakers")
    frames = Frames(test, "test")
    if isinstance(system, Attends):
        weights = [np.asarray(system.attention_weights(one, item["speaker"]))
                   for one, item in zip(frames, items, strict=True)]
        chosen = spread(frames, items, gold)
        said = [f"{items[place]['id']}: {gold[items[place]['id']]}, heard as "
                f"{answers[list(answers)[-1]][place]}" for place in chosen]
        save(attention([frames[place] for place in chosen], [weights[place] for place in chosen],
                       said, system.spec["hop"], system.spec["front_end"]["kind"], row),
             directory, "attention")
        save(places(weights, row), directory, "attention_places")
    if isinstance(system, DrawsItself):
        middle = int(np.argsort(frames.lengths, kind="stable")[len(frames) // 2])
        for name, picture in system.pictures(test, middle):
            bar_where_missing(picture, f"features: {_UNITS[system.spec['front_end']['kind']]}")
            if picture.axes:
                title(picture, f"{picture.get_suptitle()}, by {row}")
            save(picture, directory, name)


def confusions(labels: Sequence[str], table: NDArray[np.int64], row: str) -> Figure:
    """Of counts [right labels, answers] the shares of each row."""
    right = int(np.trace(table))
    return table_picture(labels, table, f"Which label {row} takes for which: {right} of "
                         f"{table.sum()} right")


def speakers(items: Sequence[Mapping[str, Any]], gold: Mapping[str, str],
             answers: Mapping[str, Sequence[str]], row: str) -> Figure:
    """Accuracy by speaker, the best understood by all variants first, and over all items."""
    right = {variant: np.array([answer == gold[item["id"]] for item, answer in zip(
        items, found, strict=True)]) for variant, found in answers.items()}
    who = np.array([item["speaker"] for item in items])
    everybody = np.mean(list(right.values()), axis=0)
    names = sorted({*who.tolist()}, key=lambda name: (-everybody[who == name].mean(), name))
    figure = Figure(figsize=(min(WIDTH, max(5.0, 2.5 + 0.3 * len(names))), 3.8))
    axes = figure.subplots()
    places = np.arange(len(names))
    for number, (variant, found) in enumerate(right.items()):
        of = look(number)
        axes.plot(places, [100 * found[who == name].mean() for name in names], of.marker,
                  color=of.color, label=f"{variant}, all items: {100 * found.mean():.1f} %")
        axes.axhline(100 * found.mean(), color=of.color, linestyle=":", linewidth=1)
    shown = places if len(names) <= _SPELT_OUT else places[:0]
    axes.set_xticks(shown, [f"{names[place]} ({(who == names[place]).sum()})" for place in shown],
                    rotation=90, fontsize=8 if len(names) <= 36 else 6.5)
    axes.set(xlabel="speaker (items), sorted by accuracy", ylabel="accuracy, %", ylim=(-2, 102))
    lines_behind(axes, "y")
    legend_below(figure)
    title(figure, f"Whom {row} understands: accuracy of {len(names)} speakers (dotted: of all)")
    return figure


def spread(frames: Frames, items: Sequence[Mapping[str, Any]],
           gold: Mapping[str, str]) -> list[int]:
    """Places of items of SHOWN labels at most, of each label one of middle length."""
    labels = sorted({*gold.values()})
    wanted = np.unique(np.linspace(0, len(labels) - 1, min(SHOWN, len(labels))).round().astype(int))
    chosen = []
    for label in (labels[number] for number in wanted):
        of = np.array([place for place, item in enumerate(items) if gold[item["id"]] == label])
        chosen.append(int(of[np.argsort(frames.lengths[of], kind="stable")[len(of) // 2]]))
    return chosen


def attention(frames: Sequence[NDArray[np.floating]], weights: Sequence[NDArray[np.floating]],
              titles: Sequence[str], hop: float, kind: str, row: str) -> Figure:
    """Features of items, each [T, D], above their weights [T].

    `hop` is in seconds from frame to frame, and `kind` says what the features are.
    """
    columns = min(3, len(frames))
    rows = -(-len(frames) // columns)
    figure = Figure(figsize=(max(5.0, WIDTH * columns / 3), 0.7 + 2.9 * rows))
    grid = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=[1.6, 1] * rows)
    lowest, highest = min(each.min() for each in frames), max(each.max() for each in frames)
    shades = None
    for place in range(rows * columns):
        above, below = grid[2 * (place // columns) : 2 * (place // columns) + 2, place % columns]
        if place >= len(frames):
            above.remove()
            below.remove()
            continue
        seconds = len(frames[place]) * hop
        shades = above.imshow(frames[place].T, origin="lower", aspect="auto", cmap=FEATURES,
                              interpolation="nearest", vmin=lowest, vmax=highest,
                              extent=(0, seconds, 0, frames[place].shape[1]))
        above.set(ylabel="feature", xlim=(0, seconds))
        above.tick_params(labelbottom=False)
        above.set_title(wrapped(titles[place], figure.get_figwidth() / columns - 0.8, 8),
                        fontsize=8)
        below.stairs(weights[place], np.arange(len(weights[place]) + 1) * hop, fill=True,
                     color=BLUE)
        below.axhline(1 / len(weights[place]), color=GREY, linestyle=":", linewidth=1)
        below.set(xlabel="time, s", ylabel="weight", xlim=(0, seconds), ylim=(0, None))
    if shades is not None:
        figure.colorbar(shades, ax=[axes for axes in grid.flatten() if axes.figure],
                        label=f"features: {_UNITS[kind]}", fraction=0.03, pad=0.01)
    title(figure, f"Where {row} attends: features of an item above the weight of each frame "
                  "(dotted: all frames alike)")
    return figure


def places(weights: Sequence[NDArray[np.floating]], row: str) -> Figure:
    """The weight of each part of a recording, mean over items, beside equal weights."""
    shares = np.mean([parts_of(each) for each in weights], axis=0)
    figure = Figure(figsize=(SMALL, 3.6))
    axes = figure.subplots()
    axes.stairs(100 * shares, np.linspace(0, 100, PARTS + 1), fill=True, color=BLUE)
    axes.axhline(100 / PARTS, color=GREY, linestyle=":", label="all frames alike")
    axes.set(xlabel="place in the recording, % of its length",
             ylabel=f"weight of {100 // PARTS} % of it, %", xlim=(0, 100), ylim=(0, None))
    lines_behind(axes, "y")
    legend_below(figure)
    title(figure, f"Where {row} attends, mean over {len(weights)} test items")
    return figure


def parts_of(weights: NDArray[np.floating]) -> NDArray[np.float64]:
    """How much of the weights [T] lies in each of PARTS equal parts of the time, [PARTS].

    A frame that lies in two parts is divided between them by its length in each.
    """
    sums = np.concatenate([[0.0], np.cumsum(weights, dtype=np.float64)])
    edges = np.linspace(0, len(weights), PARTS + 1)
    return np.diff(np.interp(edges, np.arange(len(weights) + 1), sums))
