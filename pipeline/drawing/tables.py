"""Tables as pictures: what is taken for what, and what one sequence attends to in another."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.drawing.parts import title
from pipeline.drawing.style import LIGHT, SHARES

_CELLS = ((12, 0.5, 9.0), (24, 0.27, 6.5), (10**9, 0.215, 6.0))
"""Up to how many names cells have which side in inches, and numbers which size in points."""
_MARKS = (0, 1, 5, 10, 25, 50, 75, 100)  # percent, of a colour bar
_DARK = 30  # percent, from which on a cell is dark


def confusion(names: Sequence[str], counts: NDArray[np.number], about: str,
              axes_names: tuple[str, str] = ("right label", "answer"),
              totals: NDArray[np.number] | None = None) -> Figure:
    """Counts [right, answered] as percent of the right one's items, a row; nothing below a half.

    `totals` [right] are how many items each has, where some of the answers are not shown. Rows say
    how many items they are of.
    """
    sums = counts.sum(axis=1) if totals is None else totals
    shares = 100 * counts / np.maximum(sums, 1)[:, None]
    longest = max(map(len, names))
    cell, size = next(rest for most, *rest in _CELLS if len(names) <= most)
    figure = Figure(figsize=(max(5.0, 1.9 + 0.08 * longest + cell * len(names)),
                             max(3.2, 1.5 + 0.08 * longest + cell * len(names))))
    axes = figure.subplots()
    # The square root shows what happens to one item in a hundred.
    shades = axes.imshow(shares, cmap=SHARES, norm=PowerNorm(0.5, 0, 100), aspect="auto",
                         interpolation="nearest")
    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.5:
            axes.text(column, row, f"{share:.0f}", ha="center", va="center",
                      fontsize=size, color="white" if share > _DARK else "black")
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), [f"{name} ({total:.0f})" for name, total in zip(
        names, sums, strict=True)])
    _bare(axes)
    right, answered = axes_names
    axes.set(xlabel=answered, ylabel=f"{right} (items)")
    bar = figure.colorbar(shades, ax=axes, label=f"% of the items of a {right}, a row",
                          fraction=0.046, pad=0.03, ticks=_MARKS)
    bar.ax.set_yticklabels([str(mark) for mark in _MARKS])
    title(figure, about)
    return figure


def attention(weights: NDArray[np.floating], rows: Sequence[str], columns: Sequence[str],
              sides: tuple[str, str], about: str) -> Figure:
    """Weights [rows, columns], of which each row sums to 1, with both sequences spelt out.

    `sides` says what rows and columns are.
    """
    longest = max(map(len, columns))
    figure = Figure(figsize=(max(5.0, 2.4 + 0.24 * len(columns)),
                             max(3.0, 1.4 + 0.08 * longest + 0.24 * len(rows))))
    axes = figure.subplots()
    shades = axes.imshow(weights, cmap=SHARES, vmin=0, vmax=1, aspect="auto",
                         interpolation="nearest")
    axes.set_xticks(range(len(columns)), columns, rotation=90)
    axes.set_yticks(range(len(rows)), rows)
    _bare(axes)
    axes.set(xlabel=sides[1], ylabel=sides[0])
    figure.colorbar(shades, ax=axes, label="weight; those of a row sum to 1",
                    fraction=0.046, pad=0.03)
    title(figure, about)
    return figure


def _bare(axes: Axes) -> None:
    axes.tick_params(length=0)
    axes.spines[:].set(visible=True, color=LIGHT, linewidth=0.6)
