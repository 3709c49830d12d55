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
from pipeline.storage.files import read_json
from pipeline.storage.png import save_png
from pipeline.storage.predictions import Prediction, aligned
from pipeline.systems.base import System
from pipeline.tasks.words.scoring import answered, confusion

DPI = 90
SHOWN = 6  # items with their attention
PARTS = 20  # of a recording, in which weights are averaged
_SPELT_OUT = 40  # speakers whose names are legible side by side
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


def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write confusion-<variant>.png and speakers.png.

    A system that attends has attention.png and attention_places.png too, and a system may have
    others.
    """
    for variant, found in predictions.items():
        save_png(confusions(*confusion(found, test), variant),
                 directory / f"confusion-{variant}.png", dpi=DPI, tight=True)
    items, gold = read_json(test / "test.items.json"), read_json(test / "gold.json")
    answers = {variant: [answered(one)[0] for one in aligned(found, [i["id"] for i in items])]
               for variant, found in predictions.items()}
    save_png(speakers(items, gold, answers), directory / "speakers.png", dpi=DPI, tight=True)
    frames = Frames(test, "test")
    if isinstance(system, Attends):
        weights = [np.asarray(system.attention_weights(one, item["speaker"]))
                   for one, item in zip(frames, items, strict=True)]
        chosen = spread(frames, items, gold)
        said = [f"{items[place]['id']}: {gold[items[place]['id']]}, heard as "
                f"{answers[list(answers)[-1]][place]}" for place in chosen]
        save_png(attention([frames[place] for place in chosen],
                           [weights[place] for place in chosen], said, system.spec["hop"],
                           system.spec["front_end"]["kind"]),
                 directory / "attention.png", dpi=DPI, tight=True)
        save_png(places(weights), directory / "attention_places.png", dpi=DPI, tight=True)
    if isinstance(system, DrawsItself):
        middle = int(np.argsort(frames.lengths, kind="stable")[len(frames) // 2])
        for name, picture in system.pictures(test, middle):
            save_png(picture, directory / f"{name}.png", dpi=DPI, tight=True)


def confusions(labels: Sequence[str], table: NDArray[np.int64], variant: str) -> Figure:
    """Counts [right labels, answers] as numbers, shares of each row as shades."""
    side = 1.6 + 0.34 * max(len(labels), 8)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.subplots()
    shares = 100 * table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    shades = axes.imshow(shares, cmap="gray_r", vmin=0, vmax=100)
    for (row, column), count in np.ndenumerate(table):
        if count:
            axes.text(column, row, str(count), ha="center", va="center", fontsize=8,
                      color="white" if shares[row, column] > 50 else "black")
    axes.set_xticks(range(len(labels)), labels, rotation=90)
    axes.set_yticks(range(len(labels)), labels)
    right = int(np.trace(table))
    axes.set(xlabel="answer", ylabel="right label",
             title=f"What is taken for what, '{variant}': {right} of {table.sum()} right")
    figure.colorbar(shades, ax=axes, label="share of the row's items, %", fraction=0.04)
    return figure


def speakers(items: Sequence[Mapping[str, Any]], gold: Mapping[str, str],
             answers: Mapping[str, Sequence[str]]) -> Figure:
    """Accuracy by speaker, the best understood by all variants first, and over all items."""
    right = {variant: np.array([answer == gold[item["id"]] for item, answer in zip(
        items, found, strict=True)]) for variant, found in answers.items()}
    who = np.array([item["speaker"] for item in items])
    everybody = np.mean(list(right.values()), axis=0)
    names = sorted({*who.tolist()}, key=lambda name: (-everybody[who == name].mean(), name))
    figure = Figure(figsize=(max(5.0, 2.5 + 0.3 * len(names)), 3.8), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(names))
    for (variant, found), marker in zip(right.items(), "osD^vPX" * len(right), strict=False):
        drawn, = axes.plot(places, [100 * found[who == name].mean() for name in names], marker,
                           label=f"{variant}, all items: {100 * found.mean():.1f} %")
        axes.axhline(100 * found.mean(), color=drawn.get_color(), linestyle=":", linewidth=1)
    shown = places if len(names) <= _SPELT_OUT else places[:0]
    axes.set_xticks(shown, [f"{names[place]} ({(who == names[place]).sum()})" for place in shown],
                    rotation=90, fontsize=8)
    axes.set(xlabel="speaker (items), sorted by accuracy", ylabel="accuracy, %", ylim=(-2, 102),
             title=f"Accuracy by speaker, {len(names)} speakers")
    axes.grid(axis="y", color="0.9", linewidth=0.6)
    axes.legend(loc="lower left", fontsize=8)
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
              titles: Sequence[str], hop: float, kind: str) -> Figure:
    """Features of items, each [T, D], above their weights [T].

    `hop` is in seconds from frame to frame, and `kind` says what the features are.
    """
    columns = min(3, len(frames))
    rows = -(-len(frames) // columns)
    figure = Figure(figsize=(1.2 + 3.6 * columns, 0.6 + 3.0 * rows), layout="constrained")
    figure.suptitle("Where attention lies: features of an item above the weight of each frame")
    grid = figure.subplots(2 * rows, columns, squeeze=False,
                           height_ratios=[1.6, 1] * rows)
    lowest, highest = min(each.min() for each in frames), max(each.max() for each in frames)
    shades = None
    for place in range(rows * columns):
        above, below = grid[2 * (place // columns) : 2 * (place // columns) + 2, place % columns]
        if place >= len(frames):
            above.set_axis_off()
            below.set_axis_off()
            continue
        seconds = len(frames[place]) * hop
        shades = above.imshow(frames[place].T, origin="lower", aspect="auto", cmap="magma",
                              interpolation="nearest", vmin=lowest, vmax=highest,
                              extent=(0, seconds, 0, frames[place].shape[1]))
        above.set(ylabel="feature", xticks=[])
        above.set_title(titles[place], fontsize=8)
        below.stairs(weights[place], np.arange(len(weights[place]) + 1) * hop, fill=True,
                     color="#0072B2")
        below.axhline(1 / len(weights[place]), color="0.4", linestyle=":", linewidth=1)
        below.set(xlabel="time, s (dotted: all frames alike)", ylabel="weight", xlim=(0, seconds),
                  ylim=(0, None))
    if shades is not None:
        figure.colorbar(shades, ax=grid, label=_UNITS[kind], fraction=0.03)
    return figure


def places(weights: Sequence[NDArray[np.floating]]) -> Figure:
    """The weight of each part of a recording, mean over items, beside equal weights."""
    shares = np.mean([parts_of(each) for each in weights], axis=0)
    figure = Figure(figsize=(6, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.stairs(100 * shares, np.linspace(0, 100, PARTS + 1), fill=True, color="#0072B2")
    axes.axhline(100 / PARTS, color="0.4", linestyle=":", label="all frames alike")
    axes.set(xlabel="place in the recording, % of its length",
             ylabel=f"weight of {100 // PARTS} % of it, %", xlim=(0, 100), ylim=(0, None),
             title=f"Where attention lies, mean over {len(weights)} items")
    axes.legend()
    return figure


def parts_of(weights: NDArray[np.floating]) -> NDArray[np.float64]:
    """How much of the weights [T] lies in each of PARTS equal parts of the time, [PARTS].

    A frame that lies in two parts is divided between them by its length in each.
    """
    sums = np.concatenate([[0.0], np.cumsum(weights, dtype=np.float64)])
    edges = np.linspace(0, len(weights), PARTS + 1)
    return np.diff(np.interp(edges, np.arange(len(weights) + 1), sums))
