"""Pictures of what a recogniser makes of an utterance, frame by frame, all with one axis of time.

Hidden Markov models say of every frame which state it is in; connectionist temporal classification
says next to nothing but for a spike here and there, anywhere within a sound or behind it (Graves et
al. 2006, figure 1). Laid one above the other the two pictures show it, so they are of one size: the
same features above, and what the system says of their frames below at the same places.
"""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.drawing.parts import wrapped
from pipeline.drawing.style import COLOURS, FEATURES, LIGHT
from pipeline.nn.ctc import BLANK

SHOWN = 300  # frames; of a longer utterance its beginning is drawn, so that names can be read
_WIDTH, _LEFT, _RIGHT = 9.6, 0.8, 0.85  # inches: of all, and beside the panels
_TITLE, _FEATURES, _BELOW, _GAP, _TIMES = 0.5, 2.0, 1.6, 0.12, 0.5  # inches, from top to bottom
_BAR = (0.1, 0.12)  # inches from the features to their colour bar, and its width
_NAMED = 0.5  # a posterior above it has the name of its symbol


def points_a_frame(shown: int) -> float:
    """How wide a frame is drawn where so many are."""
    return (_WIDTH - _LEFT - _RIGHT) * 72 / shown


def panels(frames: NDArray[np.float32], frame_seconds: float, title: str,
           shares: Sequence[float]) -> tuple[Figure, list[Axes]]:
    """Features [T, D] above, and below them empty panels that share the rest by `shares`.

    The first of the panels that come back is that of the features. Time is in seconds.
    """
    shown = min(len(frames), SHOWN)
    if shown < len(frames):
        title += f" (first {shown * frame_seconds:g} s)"
    room = _BELOW - _GAP * (len(shares) - 1)
    inches = [_FEATURES, *(room * share / sum(shares) for share in shares)]
    height = _TITLE + _FEATURES + _GAP + _BELOW + _TIMES
    figure = Figure(figsize=(_WIDTH, height))
    figure.set_layout_engine("none")  # panels stand where they are put
    found: list[Axes] = []
    top = height - _TITLE
    for size in inches:
        found.append(figure.add_axes(
            (_LEFT / _WIDTH, (top - size) / height, (_WIDTH - _LEFT - _RIGHT) / _WIDTH,
             size / height), sharex=found[0] if found else None))
        top -= size + _GAP
    for axes in found[:-1]:
        axes.tick_params(labelbottom=False)
    # Few colours make a small file.
    shades = found[0].pcolormesh(np.arange(shown + 1) * frame_seconds,
                                 np.arange(frames.shape[1] + 1),
                                 frames[:shown].T, cmap=colormaps[FEATURES].resampled(16),
                                 rasterized=True)
    bar = figure.add_axes(((_WIDTH - _RIGHT + _BAR[0]) / _WIDTH,
                           (height - _TITLE - _FEATURES) / height, _BAR[1] / _WIDTH,
                           _FEATURES / height))
    figure.colorbar(shades, cax=bar, label="value of a feature")
    figure.suptitle(wrapped(title, _WIDTH - 0.4, 10), fontsize=10, y=1 - 0.06 / height)
    found[0].set(ylabel="feature")
    found[-1].set(xlabel="time, s", xlim=(0, shown * frame_seconds))
    return figure, found


def spikes(frames: NDArray[np.float32], frame_seconds: float, posteriors: NDArray[np.floating],
           name: Callable[[int], str], title: str) -> Figure:
    """Features [T, D] above the `posteriors` [steps, 1 + symbols] of blank and symbols.

    A symbol is called `name(symbol)` where its posterior is largest; a curve has a point in the
    middle of each step.
    """
    figure, (_, below) = panels(frames, frame_seconds, title, [1.0])
    # Frames behind the last whole step are heard by none.
    times = (np.arange(len(posteriors)) + 0.5) * (len(frames) // len(posteriors)) * frame_seconds
    below.plot(times, posteriors[:, BLANK], color=LIGHT, linestyle=":")
    heard = [symbol for symbol in np.flatnonzero(posteriors.max(axis=0) > _NAMED)
             if symbol != BLANK]
    for number, symbol in enumerate(heard):
        below.plot(times, posteriors[:, symbol], color=COLOURS[number % len(COLOURS)])
        for step in np.flatnonzero(peaks(posteriors[:, symbol])):
            below.annotate(name(int(symbol)).replace(" ", "␣"),
                           (times[step], posteriors[step, symbol]), ha="center", va="bottom")
    below.set(ylabel="posterior\n(dotted: blank)", ylim=(0, 1.2))
    return figure


def peaks(curve: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Where a posterior is above one half and not below its neighbours."""
    around = np.pad(curve, 1, constant_values=0.0)
    return (curve > _NAMED) & (curve > around[:-2]) & (curve >= around[2:])
