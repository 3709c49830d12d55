"""How pictures on pages look: one width, colours for everybody, and SVG that is the same bytes.

SVG rather than PNG: the pictures are committed and change with every score, and git stores what two
texts have in common once. Text stays text, in a font that is wider than those that may take its
place, so that nothing overlaps where it is missing. What else could differ between two runs (the
date, random names of clip paths) is fixed or left out.

What these pictures share with those of single systems is in `pipeline.drawing`.
"""

import io
import re
from contextlib import AbstractContextManager
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.drawing.style import GREEN, ORANGE, WIDTH, Styled

CEILING, FLOOR = GREEN, ORANGE
_PLACES = re.compile(r'\s(?:d|x|y|transform)="[^"]*"')
_FINE = re.compile(r"-?\d+\.\d{3,}")
# Texts that are not turned are turned by nothing, and to groups nobody refers.
_TO_NO_EFFECT = re.compile(r'(?<=<g) id="[^"]*"|\s+transform="rotate\(-?0 [^"]*\)"')
_AROUND_LINES = re.compile(r"[ \t]*\n\s*")
# Text stays text, in the one font whose width every machine knows.
_SETTINGS: Any = {"svg.fonttype": "none", "svg.hashsalt": "unrolled", "font.family": "sans-serif",
                  "font.sans-serif": ["DejaVu Sans"]}


def canvas(height: float) -> tuple[Figure, Axes]:
    """An empty figure of a page's width; within `styled`."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def styled() -> AbstractContextManager[object]:
    """Within, figures have this project's look."""
    return Styled(**_SETTINGS)


def svg(figure: Figure) -> bytes:
    """The figure as bytes that depend on nothing but what it shows; within `styled`."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return compact(buffer.getvalue().decode()).encode()


def compact(drawing: str) -> str:
    """The same SVG in fewer bytes: places to a hundredth of a point, lines without indentation.

    Pages are committed, and a screen has no finer points. What changes nothing that is shown is
    left out, and texts and styles stay as they are.
    """
    drawing = _TO_NO_EFFECT.sub("", drawing)
    drawing = _PLACES.sub(lambda found: _FINE.sub(_to_hundredths, found[0]), drawing)
    return _AROUND_LINES.sub("\n", drawing)


def _to_hundredths(number: re.Match[str]) -> str:
    rounded = f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if rounded == "-0" else rounded
