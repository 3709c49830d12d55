"""Figures of a language model: loss along the line, largest surprises, and text that it writes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.drawing.parts import fit_scale, legend_below, lines_behind, title
from pipeline.drawing.saving import row_of, save
from pipeline.drawing.style import SMALL, Styled, look
from pipeline.storage.files import write_text
from pipeline.storage.predictions import Prediction, aligned
from pipeline.systems.base import System
from pipeline.tasks.language_model.scoring import nats
from pipeline.tasks.language_model.shared.generation import Writing
from pipeline.tasks.language_model.shared.items import Item, read_items, read_unit
from pipeline.tasks.language_model.shared.model import LanguageModel
from pipeline.tasks.language_model.shared.stream import Stream, Unit

SURPRISES = 20
SAMPLES = 4
_LEAST = 10  # units at a position; the mean of fewer jumps about
_TEMPERATURES = (0.5, 1.0)


@dataclass(frozen=True)
class _View:
    """How texts of a unit are shown: `value` turns mean nats into the track's metric."""

    metric: str
    value: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    scale: str
    longest: int
    separator: str
    sample: int
    unit: str


_VIEWS: dict[Unit, _View] = {
    "word": _View("perplexity", np.exp, "log", 30, " ", 60, "word"),
    "character": _View("bits_per_character", lambda nats: nats / np.log(2), "linear", 80, "", 300,
                       "character")}


@Styled()
def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write <metric>_by_position.png, surprises-<variant>.txt and, of networks, samples.txt."""
    view = _VIEWS[read_unit(test)]
    items = read_items(test)
    ids = [item.id for item in items]
    losses = {variant: [nats(answer, item) for answer, item
                        in zip(aligned(answers, ids), items, strict=True)]
              for variant, answers in predictions.items()}
    save(_by_position(losses, items, view, row_of(directory)), directory,
         f"{view.metric}_by_position")
    vocabulary = [unit.replace("\n", "\\n") for unit in system.spec["vocabulary"]]
    units = [vocabulary[token] for token in Stream.read(test, "test").tokens]
    for variant, values in losses.items():
        write_text(directory / f"surprises-{variant}.txt", _surprises(values, items, units, view))
    if isinstance(system, LanguageModel):
        write_text(directory / "samples.txt", _samples(system, view))


def _by_position(losses: dict[str, list[NDArray[np.float64]]], items: list[Item],
                 view: _View, row: str) -> Figure:
    """The metric of the first, second, ... unit of texts; marked units on a line apart."""
    figure = Figure(figsize=(SMALL, 4))
    axes = figure.subplots()
    positions = np.concatenate([np.arange(item.length) for item in items])
    positions = np.minimum(positions, view.longest)
    marked = np.concatenate([np.isin(np.arange(item.length), item.marked) for item in items])
    drawn: list[float] = []
    for variant, values in losses.items():
        of = f"{variant}: " if len(losses) > 1 else ""
        for label, chosen in (("those of words that depend on a word more than 4 back", marked),
                              ("all others" if marked.any() else "all", ~marked)):
            if chosen.any():
                places, found = _mean_by(positions[chosen], np.concatenate(values)[chosen], view)
                style = look(len(axes.lines))
                axes.plot(places, found, marker=style.marker, markersize=3.5, color=style.color,
                          label=of + label)
                drawn += found.tolist()
    if view.scale == "log":
        fit_scale(axes.yaxis, drawn)
    axes.set(xlabel=f"{view.unit} of the line (the last point: {view.longest + 1} and later)",
             ylabel=f"{view.metric.replace('_', ' ')}, lower is better")
    lines_behind(axes)
    legend_below(figure)
    title(figure, f"How well {row} foresees each {view.unit} of a line, {len(items)} test lines")
    return figure


def _mean_by(positions: NDArray[np.int64], values: NDArray[np.float64],
             view: _View) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Positions (from 1) at which there are units enough, and the metric at each."""
    counts = np.bincount(positions)
    occupied = np.flatnonzero(counts >= min(_LEAST, counts.max()))
    return occupied + 1, view.value(np.bincount(positions, values)[occupied] / counts[occupied])


def _surprises(losses: list[NDArray[np.float64]], items: list[Item], units: list[str],
               view: _View) -> str:
    """The texts with the most surprising units, the unit in brackets with its nats."""
    starts = np.cumsum([0, *(item.length for item in items)])
    peaks = np.array([values.max() for values in losses])
    blocks = []
    for index in np.argsort(-peaks, kind="stable")[:SURPRISES]:
        text = units[starts[index] : starts[index + 1]]
        place = int(losses[index].argmax())
        text[place] = f"[{text[place]}: {peaks[index]:.2f} nats]"
        score = view.value(losses[index].mean())
        blocks.append(f"{items[index].id}  {view.metric.replace('_', ' ')} {score:.1f}\n"
                      f"{view.separator.join(text)}")
    return "\n\n".join(blocks) + "\n"


def _samples(system: LanguageModel, view: _View) -> str:
    """What the model writes when it begins a line, at a low and at its own temperature."""
    blocks = []
    for temperature in _TEMPERATURES:
        texts = [text.strip(" \n")
                 for text in system.write(Writing("", SAMPLES, view.sample, temperature))]
        blocks += [f"temperature {temperature}, text {number}\n{text}"
                   for number, text in enumerate(texts, start=1)]
    return "\n\n".join(blocks) + "\n"
