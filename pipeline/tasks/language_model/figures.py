"""Figures of a word language model: perplexity along the sentence, and the largest surprises."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.files import atomic_writer, write_text
from pipeline.predictions import Prediction, aligned
from pipeline.system import System
from pipeline.tasks.language_model.scoring import nats
from pipeline.tasks.language_model.shared.items import Item, read_items
from pipeline.tasks.language_model.shared.stream import Stream

SURPRISES = 20
LONGEST_POSITION = 30


def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write perplexity_by_position.png and surprises-<variant>.txt."""
    items = read_items(test)
    ids = [item.id for item in items]
    losses = {variant: [nats(answer, item) for answer, item
                        in zip(aligned(answers, ids), items, strict=True)]
              for variant, answers in predictions.items()}
    with atomic_writer(directory / "perplexity_by_position.png") as file:
        _by_position(losses, items).savefig(file, format="png", dpi=120, metadata={"Software": ""})
    tokens = Stream.read(test, "test").tokens
    for variant, values in losses.items():
        write_text(directory / f"surprises-{variant}.txt",
                   _surprises(values, items, [system.spec["words"][token] for token in tokens]))


def _by_position(losses: dict[str, list[NDArray[np.float64]]], items: list[Item]) -> Figure:
    """Perplexity of the first, second, ... token of sentences; marked words on a line apart."""
    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    positions = np.concatenate([np.arange(item.length) for item in items])
    positions = np.minimum(positions, LONGEST_POSITION)
    marked = np.concatenate([np.isin(np.arange(item.length), item.marked) for item in items])
    for variant, values in losses.items():
        for label, chosen in (("words that depend on a word more than 4 back", marked),
                              ("others" if marked.any() else "all", ~marked)):
            if chosen.any():
                axes.plot(*_mean_by(positions[chosen], np.concatenate(values)[chosen]),
                          marker=".", label=f"{variant}: {label}")
    axes.set(xlabel=f"position in the sentence (the last point: {LONGEST_POSITION + 1} and later)",
             ylabel="perplexity", yscale="log")
    axes.legend()
    return figure


def _mean_by(positions: NDArray[np.int64],
             values: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Positions (from 1) that occur, and the perplexity at each."""
    counts = np.bincount(positions)
    occupied = np.flatnonzero(counts)
    return occupied + 1, np.exp(np.bincount(positions, values)[occupied] / counts[occupied])


def _surprises(losses: list[NDArray[np.float64]], items: list[Item], words: list[str]) -> str:
    """The sentences with the most surprising words, the word in brackets with its nats."""
    starts = np.cumsum([0, *(item.length for item in items)])
    peaks = np.array([values.max() for values in losses])
    blocks = []
    for index in np.argsort(-peaks, kind="stable")[:SURPRISES]:
        sentence = words[starts[index] : starts[index + 1]]
        place = int(losses[index].argmax())
        sentence[place] = f"[{sentence[place]}: {peaks[index]:.2f} nats]"
        blocks.append(f"{items[index].id}  perplexity {np.exp(losses[index].mean()):.1f}\n"
                      f"{' '.join(sentence)}")
    return "\n\n".join(blocks) + "\n"
