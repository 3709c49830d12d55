"""Figures of a sentence classifier: confusions, accuracy by length and along the reading, weights.

Where a system reads an answer out of every state, its accuracy is shown after each tenth of the
sentence: a loss on all steps is visible there. Where a system attends, some sentences are shown
with their weights.
"""

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from pipeline.storage.arrays import read_array
from pipeline.storage.files import read_json, write_text
from pipeline.storage.png import save_png
from pipeline.storage.predictions import Prediction, aligned
from pipeline.storage.sequences import Sequences
from pipeline.storage.words import words_in
from pipeline.systems.base import System
from pipeline.tasks.sentence.scoring import answer, by_class, confusion, probabilities

SENTENCES_SHOWN = 6
LONGEST_SHOWN = 40
SENTENCES_READ = 300
TENTHS = np.arange(1, 11)
LENGTH_RANGES = 8


@runtime_checkable
class AnswersAlong(Protocol):
    """A system that answers after every word."""

    def answers_along(self, sentence: list[int]) -> Tensor:
        """Log-probabilities [words, labels]."""


@runtime_checkable
class Attends(Protocol):
    """A system that weighs the steps of a sentence."""

    def attention_weights(self, sentence: list[int]) -> Tensor:
        """Weights [words]."""


def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write confusion-<variant>.png, classes-<variant>.txt and accuracy_by_length.png.

    A system that answers along the sentence has accuracy_along.png too, one that attends
    attention.png.
    """
    items = read_json(test / "items.json")
    for variant, answers in predictions.items():
        save_png(_confusion(*confusion(answers, test)), directory / f"confusion-{variant}.png",
                 tight=True)
        write_text(directory / f"classes-{variant}.txt", _classes(answers, test))
    save_png(_by_length(items, predictions), directory / "accuracy_by_length.png", tight=True)
    if isinstance(system, AnswersAlong):
        save_png(_along(system, test), directory / "accuracy_along.png", tight=True)
    if isinstance(system, Attends):
        save_png(_attention(system, items, test), directory / "attention.png", tight=True)


def _confusion(labels: list[str], table: NDArray[np.int64]) -> Figure:
    """Shares of each row (the right label) in grey, counts as numbers."""
    figure = Figure(figsize=(1.5 + 0.7 * len(labels), 1.2 + 0.6 * len(labels)))
    axes = figure.subplots()
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="gray_r", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(table):
        axes.text(column, row, str(count), ha="center", va="center",
                  color="white" if shares[row, column] > 0.5 else "black")
    axes.set_xticks(range(len(labels)), labels, rotation=90)
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="answer", ylabel="right label")
    return figure


def _classes(answers: list[Prediction], test: Path) -> str:
    """A table of precision, recall and F1 by label, in percent."""
    rows = [f"{'label':<16} {'precision':>9} {'recall':>9} {'F1':>9} {'items':>7}"]
    for found in by_class(answers, test):
        rows.append(f"{found.label:<16} " + " ".join(
            f"{value:>9.1f}" for value in (found.precision, found.recall, found.f1))
            + f" {found.items:>7}")
    return "\n".join(rows) + "\n"


def _by_length(items: list[dict[str, str]], predictions: dict[str, list[Prediction]]) -> Figure:
    """Accuracy of equally many sentences each, from the shortest to the longest."""
    lengths = np.array([len(words_in(item["text"])) for item in items])
    parts = [part for part in np.array_split(np.argsort(lengths, kind="stable"), LENGTH_RANGES)
             if len(part)]
    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    for variant, answers in predictions.items():
        right = np.array([
            answer(probabilities(found)) == item["label"] for found, item in zip(
                aligned(answers, [item["id"] for item in items]), items, strict=True)])
        axes.plot([lengths[part].mean() for part in parts],
                  [100 * right[part].mean() for part in parts], marker="o", label=variant)
    axes.set(xlabel=f"words (mean of one of {len(parts)} parts of the test set)",
             ylabel="accuracy, %", ylim=(0, 102))
    axes.legend()
    return figure


def _along(system: AnswersAlong, test: Path) -> Figure:
    """Accuracy of the answers after each tenth of the words."""
    sentences = Sequences(test, "test")
    labels = read_array(test / "test.labels.npy")
    chosen = _spread(len(sentences), SENTENCES_READ)
    right = np.array([
        system.answers_along(sentences[item]).argmax(dim=1).numpy()[
            np.ceil(TENTHS / 10 * sentences.lengths[item]).astype(int) - 1] == labels[item]
        for item in chosen])
    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    axes.plot(10 * TENTHS, 100 * right.mean(axis=0), marker="o")
    axes.set(xlabel="words read, %", ylabel=f"accuracy of the answer there, % ({len(chosen)} "
                                            "sentences)", ylim=(0, 102))
    return figure


def _attention(system: Attends, items: list[dict[str, str]], test: Path) -> Figure:
    """Sentences from all over the test set, each word as dark as its weight."""
    sentences = Sequences(test, "test")
    readable = np.flatnonzero(sentences.lengths <= LONGEST_SHOWN)
    chosen = readable[_spread(len(readable), SENTENCES_SHOWN)]
    figure = Figure(figsize=(12, 1.6 * max(1, len(chosen))))
    for row, item in enumerate(chosen, start=1):
        weights = system.attention_weights(sentences[item]).numpy()
        axes = figure.add_subplot(len(chosen), 1, row)
        axes.imshow(weights[None], cmap="gray_r", vmin=0, vmax=weights.max(), aspect="auto")
        axes.set_xticks(range(len(weights)), words_in(items[item]["text"]), rotation=60,
                        ha="right", fontsize=7)
        axes.set_yticks([])
        axes.set_title(f"{items[item]['id']}: {items[item]['label']}, largest weight "
                       f"{weights.max():.2f}", fontsize=8, loc="left")
    figure.tight_layout()
    return figure


def _spread(count: int, wanted: int) -> NDArray[np.int64]:
    """At most `wanted` numbers from 0 to `count` - 1, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, wanted)).round().astype(np.int64))
