"""The look of every picture: colours for everybody, sizes that pages can show, fonts.

Colours that tell things apart: Okabe and Ito 2008, "Color Universal Design", which the colour-blind
can tell apart; markers and line styles tell the same once more. Colours that mean numbers: maps
whose lightness rises or falls all the way, so that they survive grey paper (Crameri et al. 2020,
"The misuse of colour in science communication").
"""

from contextlib import AbstractContextManager, ContextDecorator
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Any, Literal, Self

from cycler import cycler
from matplotlib import font_manager, rc_context

Line = Literal["-", "--", ":", "-."]

WIDTH = 9.0  # inches, 864 pixels of a page
SMALL = 7.0  # inches, of a picture with one panel
BLUE, ORANGE, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
YELLOW, SKY, BLACK = "#e69f00", "#56b4e9", "#000000"
GREY, LIGHT, GRID = "#666666", "#999999", "#dddddd"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY, BLACK, LIGHT)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
LINES: tuple[Line, ...] = ("-", "--", ":", "-.")

SHARES = "gray_r"  # from nothing (white) to all (black): numbers and rings on it can be read
LEVELS = "cividis"
SIGNED = "PuOr"  # around zero, which is white
FEATURES = "magma"
MAPS = frozenset({SHARES, "gray", "Greys", LEVELS, "viridis", SIGNED, FEATURES})

# Fonts with the scripts that matplotlib's own font lacks; the first that the machine has is used.
_FURTHER = ("Noto Sans CJK JP", "IPAexGothic", "IPAGothic", "TakaoGothic", "Hiragino Sans",
            "Yu Gothic", "MS Gothic", "Noto Sans JP")


@dataclass(frozen=True)
class Look:
    """How one of several things is drawn in every picture of its page."""

    color: str
    marker: str
    linestyle: Line


def look(number: int) -> Look:
    """That of the thing with this number; none of the first forty look alike."""
    return Look(COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)],
                LINES[number // len(COLOURS) % len(LINES)])


@cache
def fonts() -> tuple[str, ...]:
    """Matplotlib's own font, which every machine has, and one with further scripts."""
    known = {font.name for font in font_manager.fontManager.ttflist}
    return "DejaVu Sans", *[name for name in _FURTHER if name in known][:1]


class Styled(ContextDecorator):
    """Within, or in a function that it decorates, figures have this project's look."""

    def __init__(self, **further: Any) -> None:
        self._further = further
        self._within: AbstractContextManager[None] | None = None

    def __enter__(self) -> Self:
        self._within = rc_context(_settings() | self._further)
        self._within.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        assert self._within is not None
        self._within.__exit__(kind, error, trace)

    def _recreate_cm(self) -> "Styled":
        return Styled(**self._further)


def _settings() -> Any:
    return {
        "font.size": 9, "font.family": list(fonts()), "axes.titlesize": 9.5,
        "axes.labelsize": 9, "xtick.labelsize": 8, "ytick.labelsize": 8, "legend.fontsize": 8,
        "figure.titlesize": 10.5, "legend.frameon": False, "figure.constrained_layout.use": True,
        "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
        "axes.prop_cycle": cycler(color=COLOURS), "image.cmap": "viridis", "grid.color": GRID,
        "grid.linewidth": 0.5, "lines.linewidth": 1.4, "lines.markersize": 5,
        # A dollar in a text is a dollar.
        "text.parse_math": False,
    }
