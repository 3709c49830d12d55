"""Parts that many pictures have: titles that fit, legends that hide nothing, axes of wide range."""

import math
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator
from matplotlib.transforms import Bbox

from pipeline.drawing.style import GREY, GRID

_LETTER = 0.6  # of the font's size, the width of a letter
_HANDLE = 8  # letters, the width of a legend's sign
_WIDE = 20  # times the least value
_AROUND = (((3, 2), "left", "bottom"), ((3, -2), "left", "top"), ((-3, 2), "right", "bottom"),
           ((-3, -2), "right", "top"))  # points from a place at which its word may stand
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def title(figure: Figure, text: str, inches: float | None = None) -> None:
    """The figure's title, in as many lines as its width makes of it.

    With `inches` it is no wider than that and stands on the left, as beside a legend.
    """
    size = 10.5
    if inches is None:
        figure.suptitle(wrapped(text, figure.get_figwidth() - 0.3, size), fontsize=size)
    else:
        figure.suptitle(wrapped(text, inches, size), fontsize=size, x=0.01, ha="left")


def wrapped(text: str, inches: float, size: float) -> str:
    """A text in lines that are no wider than so many inches, in letters of a size in points."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    letter = _LETTER * size * (1 + wide / max(len(text), 1))
    most = max(8, int(72 * inches / letter))
    return "\n".join(textwrap.fill(line, most) for line in text.splitlines())


def legend_below(figure: Figure, *panels: Axes) -> None:
    """One legend for all panels, below them, where it hides nothing; nothing without names."""
    named = {label: handle for axes in panels or figure.axes
             for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    if not named:
        return
    widest = max(map(len, named)) + _HANDLE
    columns = int(72 * figure.get_figwidth() / (8 * _LETTER * widest))
    figure.legend(named.values(), named.keys(), loc="outside lower center",
                  ncols=max(1, min(columns, len(named))), fontsize=8, frameon=False)


def legend_beside(figure: Figure, axes: Axes) -> None:
    """The legend to the right of the axes, where it hides nothing."""
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", frameon=False,
                  fontsize=8)


def lines_behind(axes: Axes, axis: str = "both") -> None:
    """Thin lines at the ticks, behind what is drawn."""
    axes.grid(axis=axis, color=GRID, linewidth=0.5)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def fit_scale(axis: XAxis | YAxis, values: Sequence[float]) -> None:
    """Make an axis logarithmic where its values reach over more than a decade or so."""
    if min(values) <= 0 or max(values) <= _WIDE * min(values):
        return
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    decades = math.log10(max(values) / min(values))
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 3 else (1,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_formatter(NullFormatter())


def powers_of_ten(axis: XAxis | YAxis, values: Sequence[float]) -> None:
    """Make an axis of positive values logarithmic, with ticks such as 10⁻³, or else 2·10⁻³."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    decades = math.log10(max(values) / min(values))
    steps = (1,) if decades > 2 else (1, 2, 5) if decades > 0.7 else tuple(range(1, 10))
    axis.set_major_locator(LogLocator(subs=steps, numticks=9))
    axis.set_major_formatter(FuncFormatter(lambda value, _: as_power(value)))
    axis.set_minor_locator(NullLocator())


def as_power(value: float) -> str:
    """Such as '10⁻³', '2·10⁻³' or '0'."""
    if value == 0:
        return "0"
    digits, power = f"{value:.0e}".split("e")
    ten = f"10{str(int(power)).translate(_SUPERSCRIPT)}"
    return ten if digits == "1" else f"{digits}·{ten}"


def bar_where_missing(figure: Figure, label: str) -> None:
    """A colour bar beside each picture of numbers that has none."""
    for axes in list(figure.axes):
        for image in axes.images:
            if image.colorbar is None and np.ndim(np.asarray(image.get_array())) == 2:
                figure.colorbar(image, ax=axes, label=label, fraction=0.04)


def end_of(axes: Axes, place: float, text: str) -> Line2D:
    """A vertical line at `place`, named above the axes."""
    line = axes.axvline(place, color=GREY, linewidth=0.8, zorder=0)
    axes.annotate(text, (place, 1), xycoords=("data", "axes fraction"), xytext=(0, 1),
                  textcoords="offset points", ha="center", va="bottom", fontsize=7.5)
    return line


def words_apart(figure: Figure, axes: Axes, words: Mapping[str, Sequence[float]],
                size: float = 7) -> None:
    """Write words at their places [2], earlier ones first; none that would lie on another.

    Limits of the axes are as they stay.
    """
    figure.draw_without_rendering()
    taken: list[Bbox] = []
    for word, place in words.items():
        for offset, across, along in _AROUND:
            text = axes.annotate(word, (place[0], place[1]), xytext=offset, fontsize=size,
                                 textcoords="offset points", ha=across, va=along)
            box = text.get_window_extent()
            if axes.bbox.contains(box.x0, box.y0) and axes.bbox.contains(box.x1, box.y1) and \
                    not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            text.remove()
