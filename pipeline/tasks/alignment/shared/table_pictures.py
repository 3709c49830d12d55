"""A picture of an alignment table: how probable each symbol is at each frame, and paths through it.

The symbols of the sequence stand from top to bottom, again where one comes again, and the frames
from left to right, as in CMU 11-785, "Connectionist Temporal Classification", first part. A path
begins top left and ends bottom right, so it is seen where it leaves what is bright: there the order
of the symbols overrules the frame.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from pipeline.drawing.parts import legend_below, title
from pipeline.drawing.style import FEATURES, GREEN, SKY, WIDTH
from pipeline.nn.order_synchronous import best_alignments

SHOWN = 300  # frames; of a longer utterance its beginning is drawn, so that rows can be told apart
FLOOR = -10.0  # nats; what is less probable is drawn like this
_WRITTEN = 120  # cells; numbers stand in those of a table that has no more
_PATHS = (("white", "-", 3.0), (SKY, "--", 1.8), (GREEN, ":", 1.8))

DECK_SYMBOLS = ("/AH/", "/B/", "/D/", "/EH/", "/F/", "/G/", "/IY/")
DECK_SEQUENCE = ("/B/", "/IY/", "/F/", "/IY/")
# Percent of each symbol at each of nine frames; frame by frame /D/ and then /G/ are most probable.
DECK_PERCENT = (
    (5, 50, 30, 3, 4, 5, 3),
    (5, 35, 40, 5, 3, 4, 8),
    (6, 8, 10, 12, 2, 2, 60),
    (4, 3, 3, 14, 4, 2, 70),
    (5, 4, 4, 8, 24, 15, 40),
    (3, 3, 4, 3, 62, 22, 3),
    (2, 6, 4, 3, 35, 45, 5),
    (8, 2, 5, 15, 10, 5, 55),
    (9, 1, 4, 20, 3, 3, 60),
)


def table(log_probs: NDArray[np.floating], names: Sequence[str],
          paths: Mapping[str, NDArray[np.integer]], about: str, hop: float | None = None,
          probabilities: bool = False) -> Figure:
    """The table `log_probs` [T, N], in nats, of a sequence of symbols `names` [N].

    `paths` are rows [T] by what they are called, such as the best path and that of gold times; the
    first is drawn thickest. `hop` is a frame's duration in seconds; without it frames are numbered
    from 1. Colours are log-probabilities, or probabilities where those are asked for.
    """
    frames, rows = min(len(log_probs), SHOWN), len(names)
    if frames < len(log_probs):
        about += f" (first {frames} of {len(log_probs)} frames)"
    shown = log_probs[:frames].T
    values = np.exp(shown) if probabilities else np.maximum(shown, FLOOR)
    figure = Figure(figsize=(WIDTH, 2.6 + 0.2 * max(rows, 6)), layout="constrained")
    axes = figure.subplots()
    edges = np.arange(frames + 1) * hop if hop else np.arange(frames + 1) + 0.5
    mesh = axes.pcolormesh(edges, np.arange(rows + 1) - 0.5, values, rasterized=True,
                           # Few colours make a small file.
                           cmap=colormaps[FEATURES].resampled(32),
                           norm=Normalize(0, 1) if probabilities else Normalize(FLOOR, 0))
    figure.colorbar(mesh, ax=axes, extend="neither" if probabilities else "min",
                    label="probability" if probabilities else "log-probability (nats)",
                    pad=0.01)
    for (name, path), (colour, style, width) in zip(paths.items(), _PATHS, strict=False):
        axes.plot(np.repeat(edges, 2)[1:-1], np.repeat(path[:frames], 2), style, color=colour,
                  linewidth=width, label=name, solid_joinstyle="miter",
                  path_effects=[withStroke(linewidth=width + 1.6, foreground="black")])
    if frames * rows <= _WRITTEN:
        _write(axes, np.exp(shown), edges, values)
    axes.set_yticks(range(rows), names, fontsize=min(9.0, 260 / rows))
    axes.set(ylabel="symbol, in order", ylim=(rows - 0.5, -0.5),
             xlabel="time (s)" if hop else "frame", xlim=(edges[0], edges[-1]))
    if not hop and frames <= 30:
        axes.set_xticks(range(1, frames + 1))
    legend_below(figure)
    title(figure, about)
    return figure


def deck_example() -> Figure:
    """/B/ /IY/ /F/ /IY/ over nine frames, with its best path; probabilities made up."""
    log_probs = np.log(np.array(DECK_PERCENT) / 100)
    sequence = [DECK_SYMBOLS.index(name) for name in DECK_SEQUENCE]
    (path,), (score,) = best_alignments(log_probs[None], [len(log_probs)], [sequence])
    return table(log_probs[:, sequence], DECK_SEQUENCE, {f"best path, {score:.2f} nats": path},
                 "The table of /B/ /IY/ /F/ /IY/ over nine frames: stay or go down one",
                 probabilities=True)


def _write(axes: Axes, numbers: NDArray[np.floating], edges: NDArray[np.floating],
           values: NDArray[np.floating]) -> None:
    """Write probabilities into the cells, above the path."""
    light = values > values.min() + 0.62 * (values.max() - values.min())
    for (row, frame), number in np.ndenumerate(numbers):
        axes.text((edges[frame] + edges[frame + 1]) / 2, row - 0.28, f"{number:.2f}", ha="center",
                  va="center", fontsize=7, color="black" if light[row, frame] else "white")
