"""Each row's score with its interval: what the order of a table hides."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pipeline.drawing.parts import fit_scale, lines_behind, title
from pipeline.drawing.style import BLACK, BLUE, GREY, Line
from pipeline.results.boards import Board, Row
from pipeline.results.markdown import decimal
from pipeline.results.pictures.comparisons import named
from pipeline.results.pictures.style import CEILING, FLOOR, canvas
from pipeline.scoring.scores import Metric


def draw(board: Board, metric: Metric) -> Figure:
    """Rows from the best down; a published figure beyond the rest is named at the edge."""
    rows = board["rows"]
    figure, axes = canvas(1.6 + 0.24 * len(rows))
    low, high = _extent(board)
    fit_scale(axes.xaxis, (low, high))
    axes.set_xlim(*((low / 1.1, high * 1.1) if axes.get_xscale() == "log" else
                    (low - 0.04 * (high - low), high + 0.04 * (high - low))))
    for place, row in enumerate(rows):
        _row(axes, row, place, metric.decimals)
    for _, value, color, style in _bounds(board):
        axes.axvline(value, color=color, linestyle=style, linewidth=1, zorder=0)
    axes.set_yticks(range(len(rows)), [row["system"] for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    lines_behind(axes, "x")
    axes.set(xlabel=f"{named(board['metric'])}, {metric.preference}", ylabel="row")
    handles = _handles(board)
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False,
                  fontsize=8)
    title(figure, f"{named(board['metric'])} of the rows of {board['track']}, from the best down")
    return figure


def _extent(board: Board) -> tuple[float, float]:
    """From the least to the greatest that has to be seen; published figures need not be."""
    own = [row for row in board["rows"] if row["evidence"]["kind"] != "published"]
    values = [value for row in own for value in (
        row["value"], row["low"], row["high"], *(row["seeds"]["scores"] if row["seeds"] else []))
        if value is not None] + [value for _, value, _, _ in _bounds(board)]
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - abs(low) / 10 - 1e-9, high + abs(high) / 10 + 1e-9)


def _bounds(board: Board) -> list[tuple[str, float, str, Line]]:
    """Name, value and look of the ceiling and the floor, as far as the track has them."""
    known: list[tuple[str, float | None, str, Line]] = [
        ("ceiling", board["ceiling"], CEILING, "-"), ("floor", board["floor"], FLOOR, "--")]
    return [(name, value, color, style) for name, value, color, style in known
            if value is not None]


def _row(axes: Axes, row: Row, place: int, decimals: int) -> None:
    if row["published"]:
        _published(axes, row["published"]["value"], place, decimals)
    if row["evidence"]["kind"] == "published":
        return
    if row["low"] is not None and row["high"] is not None:
        axes.plot([row["low"], row["high"]], [place, place], color=BLUE, linewidth=1.5)
    if row["seeds"]:
        others: Sequence[float] = row["seeds"]["scores"][1:]
        axes.plot(others, [place] * len(others), "o", color="none", markeredgecolor=GREY,
                  markersize=4, markeredgewidth=0.8)
    axes.plot(row["value"], place, "o", color=BLUE, markersize=5)


def _published(axes: Axes, value: float, place: int, decimals: int) -> None:
    left, right = axes.get_xlim()
    if left <= value <= right:
        axes.plot([value, value], [place - 0.35, place + 0.35], color=BLACK, linewidth=1.5)
        return
    sign, x, side = ("◂", left, "left") if value < left else ("▸", right, "right")
    text = decimal(value, decimals)
    axes.text(x, place, f"{sign} {text}" if side == "left" else f"{text} {sign}", ha=side,
              va="center", fontsize=8)


def _handles(board: Board) -> list[Line2D]:
    rows = board["rows"]
    found = [Line2D([], [], color=BLUE, marker="o", markersize=5, label="score, 95 % interval")]
    if any(row["seeds"] and len(row["seeds"]["scores"]) > 1 for row in rows):
        found.append(Line2D([], [], color="none", marker="o", markeredgecolor=GREY, markersize=4,
                            label="trained from another seed"))
    if any(row["published"] for row in rows):
        found.append(Line2D([], [], color="none", marker="|", markeredgecolor=BLACK,
                            markeredgewidth=1.5, markersize=8, label="published"))
    return found + [Line2D([], [], color=color, linestyle=style, linewidth=1, label=name)
                    for name, _, color, style in _bounds(board)]
