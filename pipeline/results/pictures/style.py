"""How pictures on pages look: one width, colours for everybody, and SVG that is the same bytes.

SVG rather than PNG: the pictures are committed and change with every score, and git stores what two
texts have in common once. Text stays text, in a font that is wider than those that may take its
place, so that nothing overlaps where it is missing. What else could differ between two runs (the
date, random names of clip paths) is fixed or left out.

Colours: Okabe and Ito 2008, "Color Universal Design", which the colour-blind can tell apart;
markers and line styles tell the same once more.
"""

import io
import math
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

Line = Literal["-", "--", ":", "-."]

WIDTH = 9.0  # inches, 864 pixels of a page
GREY = "#666666"
CEILING, FLOOR = "#009e73", "#d55e00"
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
_LINES: tuple[Line, ...] = ("-", "--", ":", "-.")
_WIDE = 20  # times the least value
_PLACES = re.compile(r'\s(?:d|x|y|transform)="[^"]*"')
_FINE = re.compile(r"-?\d+\.\d{3,}")
_AROUND_LINES = re.compile(r"[ \t]*\n\s*")
_SETTINGS: Any = {
    "svg.fonttype": "none", "svg.hashsalt": "unrolled", "font.size": 9, "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"], "axes.spines.top": False, "axes.spines.right": False,
    "text.parse_math": False,
}


@dataclass(frozen=True)
class Look:
    """How one row is drawn in every picture of its page."""

    color: str
    marker: str
    linestyle: Line


def look(number: int) -> Look:
    """That of the row with this number; none of the first forty look alike."""
    return Look(_COLOURS[number % len(_COLOURS)], _MARKERS[number % len(_MARKERS)],
                _LINES[number // len(_COLOURS) % len(_LINES)])


def canvas(height: float) -> tuple[Figure, Axes]:
    """An empty figure of a page's width; within `styled`."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def styled() -> AbstractContextManager[None]:
    """Within, figures have this project's look."""
    return rc_context(_SETTINGS)


def fit_scale(axis: XAxis | YAxis, values: Sequence[float]) -> None:
    """Make an axis logarithmic where its values reach over more than a decade or so."""
    if min(values) <= 0 or max(values) <= _WIDE * min(values):
        return
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    decades = math.log10(max(values) / min(values))
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 3 else (1,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_formatter(NullFormatter())


def legend_beside(figure: Figure, axes: Axes) -> None:
    """The legend to the right of the axes, where it hides nothing."""
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", frameon=False,
                  fontsize=8)


def svg(figure: Figure) -> bytes:
    """The figure as bytes that depend on nothing but what it shows; within `styled`."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return compact(buffer.getvalue().decode()).encode()


def compact(drawing: str) -> str:
    """The same SVG in fewer bytes: places to a hundredth of a point, lines without indentation.

    Pages are committed, and a screen has no finer points. Texts and styles stay as they are.
    """
    drawing = _PLACES.sub(lambda found: _FINE.sub(_to_hundredths, found[0]), drawing)
    return _AROUND_LINES.sub("\n", drawing)


def _to_hundredths(number: re.Match[str]) -> str:
    rounded = f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if rounded == "-0" else rounded
