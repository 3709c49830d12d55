"""Writing a picture: the one way in which figures of systems become files."""

from pathlib import Path

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogFormatter, NullFormatter

from pipeline.drawing.letters import readable
from pipeline.drawing.parts import as_power
from pipeline.storage.png import save_png
from pipeline.suite.places import PLAIN

_DPI = 100


def save(figure: Figure, directory: Path, name: str, cut: bool = True) -> None:
    """Write `directory`/`name`.png; empty margins are cut off where nothing says otherwise.

    A letter that no font here has is written in Latin ones, where it would be an empty box.
    """
    for text in figure.findobj(Text):
        if (legible := readable(text.get_text())) != text.get_text():
            text.set_text(legible)
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            _legible_powers(axis)
            _relabel(axis)
    save_png(figure, directory / f"{name}.png", dpi=_DPI, tight=cut)


def row_of(directory: Path, variant: str = PLAIN) -> str:
    """What a row is called whose figures are written into `directory`."""
    return directory.name if variant == PLAIN else f"{directory.name}:{variant}"


def _legible_powers(axis: Axis) -> None:
    """Matplotlib writes powers of ten as a formula, which texts are not read as here."""
    if isinstance(axis.get_major_formatter(), LogFormatter):
        axis.set_major_formatter(FuncFormatter(lambda value, _: as_power(value)))
        axis.set_minor_formatter(NullFormatter())


def _relabel(axis: Axis) -> None:
    """Names of ticks are made when they are drawn, so they are set anew."""
    names = [label.get_text() for label in axis.get_ticklabels()]
    legible = [readable(name) for name in names]
    if legible != names:
        axis.set_ticks(axis.get_ticklocs(), legible)
