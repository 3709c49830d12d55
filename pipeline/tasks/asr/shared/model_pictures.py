"""Pictures of what a recogniser has learnt: its weights and its first questions.

How much the language model counts and what a unit costs, a word or a letter, were chosen on
validation utterances from a grid; the picture shows how sharp that choice is, and whether the best
pair lies at the grid's edge, where a wider grid may have a better one. The first questions of the
decision trees say which neighbours change the sound of a phone most (Young, Odell and Woodland
1994).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from pipeline.drawing.parts import legend_below, title
from pipeline.drawing.style import BLUE, LEVELS, ORANGE, WIDTH, YELLOW
from pipeline.hmm.decision_trees import SIDES
from pipeline.hmm.tying import FirstQuestion
from pipeline.tasks.asr.shared.grids import Tried, best_of

QUESTIONS = 20
_SIDE_COLOURS = dict(zip(SIDES, (BLUE, YELLOW), strict=True))
_READ_ON_LIGHT = 0.55  # from this share of the colours on, they are light enough for black


@dataclass(frozen=True)
class Grid:
    """Validation word error rates in percent, `rates` [languages, words], and the chosen cell.

    Weights go upwards; a pair that was not tried has no number.
    """

    languages: list[float]
    words: list[float]
    rates: NDArray[np.float64]
    chosen: tuple[int, int]

    @classmethod
    def of(cls, tried: Sequence[Tried]) -> Self:
        languages = sorted({pair["language"] for pair in tried})
        words = sorted({pair["word"] for pair in tried})
        rates = np.full((len(languages), len(words)), np.nan)
        for pair in tried:
            rates[languages.index(pair["language"]), words.index(pair["word"])] = pair.rate
        best = best_of(tried)
        return cls(languages, words, rates,
                   (languages.index(best["language"]), words.index(best["word"])))


def weights(tried: Mapping[str, Sequence[Tried]], row: str) -> Figure:
    """A heat map for each of what was weighed; the chosen cell has a frame. `tried` is not empty.
    """
    grids = {name: Grid.of(pairs) for name, pairs in tried.items()}
    columns = min(len(grids), 2)
    rows = -(-len(grids) // columns)
    widest = max(len(grid.words) for grid in grids.values())
    tallest = max(len(grid.languages) for grid in grids.values())
    figure = Figure(figsize=(0.6 + columns * max(0.55 * widest + 1.5, 3.9),
                             0.7 + rows * (1.0 + 0.4 * tallest)), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flatten()
    for axes in panels[len(grids):]:
        axes.remove()
    for axes, (name, grid) in zip(panels[:len(grids)], grids.items(), strict=True):
        _heat_map(axes, grid)
        axes.set(title=f"{name}: {grid.rates[grid.chosen]:.1f} %")
    title(figure, f"Which weights of its language models {row} chose (framed), and what others "
                  "would have made of validation utterances")
    return figure


def questions(asked: Sequence[FirstQuestion], row: str) -> Figure:
    """The questions with the largest gain as bars, the largest on top. `asked` is not empty."""
    chosen = largest(asked)
    figure = Figure(figsize=(WIDTH, 1.7 + 0.22 * len(chosen)), layout="constrained")
    axes = figure.subplots()
    for side, colour in _SIDE_COLOURS.items():
        rows = [row for row, question in enumerate(chosen) if question.side == side]
        if rows:
            axes.barh(rows, [chosen[row].gain / 1000 for row in rows], color=colour,
                      label=f"about the phone to the {side}")
    axes.set_yticks(range(len(chosen)), [worded(question) for question in chosen], fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel="gain in log-likelihood of the training frames, thousand nats",
             ylabel="state and question")
    legend_below(figure)
    title(figure, f"What the decision trees of {row} ask first, by what is gained")
    return figure


def largest(asked: Sequence[FirstQuestion]) -> list[FirstQuestion]:
    """The QUESTIONS with the largest gain, the largest first; of equal ones the earlier."""
    return sorted(asked, key=lambda question: -question.gain)[:QUESTIONS]


def worded(question: FirstQuestion) -> str:
    """Such as "N, state 2: right in 'vowel'?"; a phone and silence are named in capitals."""
    return (f"{question.phone}, state {question.position + 1}: {question.side} "
            + (f"is {question.question}?" if question.question.isupper()
               else f"in '{question.question}'?"))


def _heat_map(axes: Axes, grid: Grid) -> None:
    low, high = np.nanmin(grid.rates), np.nanmax(grid.rates)
    shades = axes.imshow(grid.rates, origin="lower", aspect="auto", cmap=f"{LEVELS}_r", vmin=low,
                         vmax=max(high, low + 1e-9))
    axes.figure.colorbar(shades, ax=axes, label="validation word error rate, %", pad=0.02)
    for (row, column), rate in np.ndenumerate(grid.rates):
        if np.isfinite(rate):
            dark = (rate - low) > _READ_ON_LIGHT * (high - low) > 0
            axes.text(column, row, f"{rate:.1f}" if rate < 1000 else f"{rate:.0f}", ha="center",
                      va="center", fontsize=8, color="white" if dark else "black")
    row, column = grid.chosen
    axes.add_patch(Rectangle((column - 0.47, row - 0.45), 0.94, 0.9, fill=False,
                             edgecolor=ORANGE, linewidth=2.5))
    axes.set_xticks(range(len(grid.words)), [f"{word:g}" for word in grid.words])
    axes.set_yticks(range(len(grid.languages)), [f"{weight:g}" for weight in grid.languages])
    axes.set(xlabel="added for each word or letter, nats", ylabel="language weight")
