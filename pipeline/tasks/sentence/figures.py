"""Figures of a sentence classifier: confusions, accuracy along the reading, weights.

Where a system reads an answer out of every state, its accuracy is shown after each tenth of the
sentence: a loss on all steps is visible there. Where a system attends, some sentences are shown
with their weights. Accuracy by length is a matter of comparison, and stands on the leaderboard.
"""

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from pipeline.drawing.parts import legend_below, lines_behind, title, wrapped
from pipeline.drawing.saving import row_of, save
from pipeline.drawing.style import GREY, SHARES, SMALL, WIDTH, Styled
from pipeline.drawing.tables import confusion as table_picture
from pipeline.storage.arrays import read_array
from pipeline.storage.files import read_json, write_text
from pipeline.storage.predictions import Prediction
from pipeline.storage.sequences import Sequences
from pipeline.storage.words import words_in
from pipeline.systems.base import System
from pipeline.tasks.sentence.scoring import by_class, confusion

SENTENCES_SHOWN = 6
LONGEST_SHOWN = 40
LETTERS_SHOWN = 14
SENTENCES_READ = 300
TENTHS = np.arange(1, 11)


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


@Styled()
def draw(system: System, predictions: dict[str, list[Prediction]], test: Path,
         directory: Path) -> None:
    """Write confusion-<variant>.png and classes-<variant>.txt.

    A system that answers along the sentence has accuracy_along.png too, one that attends
    attention.png.
    """
    for variant, answers in predictions.items():
        labels, table = confusion(answers, test)
        right = int(np.trace(table))
        save(table_picture(labels, table, f"Which label is taken for which by "
                           f"{row_of(directory, variant)}: {right} of {table.sum()} right"),
             directory, f"confusion-{variant}")
        write_text(directory / f"classes-{variant}.txt", _classes(answers, test))
    if isinstance(system, AnswersAlong):
        save(_along(system, test, row_of(directory)), directory, "accuracy_along")
    if isinstance(system, Attends):
        save(_attention(system, read_json(test / "items.json"), test, row_of(directory)),
             directory, "attention")


def _classes(answers: list[Prediction], test: Path) -> str:
    """A table of precision, recall and F1 by label, in percent."""
    rows = [f"{'label':<16} {'precision':>9} {'recall':>9} {'F1':>9} {'items':>7}"]
    for found in by_class(answers, test):
        rows.append(f"{found.label:<16} " + " ".join(
            f"{value:>9.1f}" for value in (found.precision, found.recall, found.f1))
            + f" {found.items:>7}")
    return "\n".join(rows) + "\n"


def _along(system: AnswersAlong, test: Path, row: str) -> Figure:
    """Accuracy of the answers after each tenth of the words."""
    sentences = Sequences(test, "test")
    labels = read_array(test / "test.labels.npy")
    chosen = _spread(len(sentences), SENTENCES_READ)
    right = np.array([
        system.answers_along(sentences[item]).argmax(dim=1).numpy()[
            np.ceil(TENTHS / 10 * sentences.lengths[item]).astype(int) - 1] == labels[item]
        for item in chosen])
    values = 100 * right.mean(axis=0)
    commonest = 100 * np.bincount(labels[chosen]).max() / len(chosen)
    figure = Figure(figsize=(SMALL, 3.6))
    axes = figure.subplots()
    axes.plot(10 * TENTHS, values, marker="o")
    for place, value in zip(10 * TENTHS, values, strict=True):
        axes.annotate(f"{value:.0f}", (place, value), xytext=(0, 6), textcoords="offset points",
                      ha="center", fontsize=8)
    axes.axhline(commonest, color=GREY, linestyle=":", label="always the commonest label")
    axes.set(xlabel="part of the sentence that has been read, %",
             ylabel="accuracy of the answer there, %", xticks=10 * TENTHS, ylim=(0, 110),
             yticks=range(0, 101, 20))
    lines_behind(axes, "y")
    legend_below(figure)
    title(figure, f"How early {row} knows the answer: accuracy after each tenth of "
                  f"{len(chosen)} test sentences")
    return figure


def _attention(system: Attends, items: list[dict[str, str]], test: Path, row: str) -> Figure:
    """Sentences from all over the test set, each word as dark as its weight."""
    sentences = Sequences(test, "test")
    readable = np.flatnonzero(sentences.lengths <= LONGEST_SHOWN)
    chosen = readable[_spread(len(readable), SENTENCES_SHOWN)]
    figure = Figure(figsize=(WIDTH, 0.7 + 1.2 * max(1, len(chosen))))
    panels = figure.subplots(max(1, len(chosen)), 1, squeeze=False)[:, 0]
    shades = None
    for axes, item in zip(panels, chosen, strict=False):
        weights = system.attention_weights(sentences[item]).numpy()
        shades = axes.imshow(weights[None], cmap=SHARES, vmin=0, vmax=1, aspect="auto")
        words = [_short(word) for word in words_in(items[item]["text"])]
        axes.set_xticks(range(len(weights)), words, rotation=90, fontsize=7)
        # Words are as wide in one sentence as in another.
        axes.set(yticks=[], xlim=(-0.5, sentences.lengths[chosen].max() - 0.5))
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_title(wrapped(f"{items[item]['id']}, right: {items[item]['label']}; largest "
                               f"weight {weights.max():.2f}", WIDTH - 1.5, 8), fontsize=8,
                       loc="left")
    if shades is not None:
        figure.colorbar(shades, ax=panels, label="weight of a word, 1 in a sentence",
                        fraction=0.03, pad=0.01)
    figure.supxlabel("words of the sentence, from left to right", fontsize=9)
    figure.supylabel("sentence", fontsize=9)
    title(figure, f"Which words {row} attends to in {len(chosen)} test sentences")
    return figure


def _short(word: str) -> str:
    return word if len(word) <= LETTERS_SHOWN else word[: LETTERS_SHOWN - 1] + "…"


def _spread(count: int, wanted: int) -> NDArray[np.int64]:
    """At most `wanted` numbers from 0 to `count` - 1, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, wanted)).round().astype(np.int64))
