"""Pictures of an aligner's errors: how far boundaries are off, which phones it takes for which.

Errors have a sign here, since a search that places a symbol where its run ends is late by all of
it, and one that has learnt from wrong times is wrong to one side. A median does not show either.
Rounds of re-estimation are curves: the error may fall for good, or rise again while the network
explains its own mistakes better and better.
"""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from pipeline.audio.phones import SILENCE
from pipeline.drawing.parts import legend_below, lines_behind, title
from pipeline.drawing.style import COLOURS, GREY, LIGHT, LINES, WIDTH
from pipeline.drawing.tables import confusion as table_picture
from pipeline.tasks.alignment.shared.pairing import pairs

STYLES = tuple(zip(COLOURS, LINES + LINES, strict=True))
WIDEST = 100.0  # ms to either side that are shown
_BIN = 5.0  # ms
_NAMED = 20  # ms, the tolerance that ranks
_TOLERANCES = np.arange(0.0, WIDEST + 1, 1.0)
MISSING = "none"

Answer = tuple[Sequence[str], Sequence[float]]
"""Phones and the seconds at which each begins."""
Gold = Mapping[str, Any]


def signed_errors(gold: Sequence[Gold], answers: Sequence[Answer]) -> NDArray[np.float64]:
    """Milliseconds by which boundaries are late [boundaries], NaN for those without a counterpart.
    """
    errors: list[float] = []
    for one, (phones, begins) in zip(gold, answers, strict=True):
        labels, known = ([part[place] for part in one["phones"]] for place in (0, 1))
        found = pairs(labels, phones, known, begins)
        errors += [1000 * (begins[found[place]] - begin) if place in found else np.nan
                   for place, begin in enumerate(known) if place and begin is not None]
    return np.array(errors)


def errors(found: Mapping[str, NDArray[np.float64]], row: str) -> Figure:
    """By variant, a histogram of signed errors in ms, and the share of boundaries below an error.
    """
    figure = Figure(figsize=(WIDTH, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    edges = np.arange(-WIDEST, WIDEST + _BIN, _BIN)
    for (variant, late), (colour, style) in zip(found.items(), cycle(STYLES), strict=False):
        share = 100 * np.histogram(late, bins=edges)[0] / len(late)
        far = 100 * float(np.mean(~(np.abs(late) <= WIDEST)))
        left.stairs(share, edges, color=colour, linestyle=style, linewidth=1.6,
                    label=f"{variant} ({far:.1f} % farther off or missing)")
        below = 100 * np.mean(np.abs(late)[:, None] <= _TOLERANCES, axis=0)
        right.plot(_TOLERANCES, below, color=colour, linestyle=style, label=variant)
    left.axvline(0, color=LIGHT, linewidth=0.8, zorder=0)
    left.set(title="How late boundaries are", xlabel="answer minus reference, ms",
             ylabel=f"boundaries in {_BIN:g} ms, %", xlim=(-WIDEST, WIDEST), ylim=(0, None))
    right.axvline(_NAMED, color=GREY, linewidth=0.8, linestyle=":", zorder=0)
    right.set(title=f"How many are within a tolerance (dotted: {_NAMED} ms)",
              xlabel="tolerance, ms", ylabel="boundaries within it, %", xlim=(0, WIDEST),
              ylim=(0, 100))
    for axes in (left, right):
        lines_behind(axes, "y")
    legend_below(figure, left)
    title(figure, f"Errors of {row} on clean recordings, {len(next(iter(found.values())))} "
                  "boundaries")
    return figure


def confused(gold: Sequence[Gold],
             answers: Sequence[Answer]) -> tuple[list[str], NDArray[np.float64]]:
    """Labels, MISSING last, and how often a phone (row) was answered by another (column).

    A phone without a counterpart was answered by MISSING, and one that nobody said stands for it.
    Silences are left out.
    """
    pairs_of: list[tuple[str, str]] = []
    for one, (phones, begins) in zip(gold, answers, strict=True):
        labels, known = ([part[place] for part in one["phones"]] for place in (0, 1))
        found = pairs(labels, phones, known, begins)
        inserted = set(range(len(phones))) - set(found.values())
        pairs_of += [(label, phones[found[place]] if place in found else MISSING)
                     for place, label in enumerate(labels) if label != SILENCE]
        pairs_of += [(MISSING, phones[place]) for place in sorted(inserted)
                     if phones[place] != SILENCE]
    names = [*sorted({name for pair in pairs_of for name in pair} - {MISSING}), MISSING]
    places = {name: place for place, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)))
    for said, answered in pairs_of:
        counts[places[said], places[answered]] += 1
    return names, counts


def confusion(names: Sequence[str], counts: NDArray[np.float64], row: str) -> Figure:
    """Of each phone of the reference, a row, what share of it was answered by which, in percent."""
    right = int(np.trace(counts))
    return table_picture(names, counts, f"Which phone {row} takes for which in clean recordings: "
                         f"{right} of {counts.sum():.0f} right ('{MISSING}': nobody said one)",
                         ("phone of the reference", "answered phone"))


def rounds(found: Sequence[Mapping[str, Any]], about: str) -> Figure:
    """What each epoch of guess, train and re-estimate was worth on validation utterances.

    A point of `found` has `epoch`, `round`, `divergence` (nats a frame) and, where times are known,
    `median_ms` and `within_20`.
    """
    curves = [(name, text) for name, text in (
        ("divergence", "divergence,\nnats a frame"), ("median_ms", "median error,\nms"),
        ("within_20", "boundaries\nwithin 20 ms, %"))
        if all(point[name] is not None for point in found)]
    figure = Figure(figsize=(WIDTH, 1.4 + 1.7 * len(curves)), layout="constrained")
    panels: list[Axes] = list(figure.subplots(len(curves), 1, sharex=True, squeeze=False)[:, 0])
    epochs = [point["epoch"] for point in found]
    changes = [point["epoch"] - 0.5 for before, point in zip(found, found[1:], strict=False)
               if point["round"] != before["round"]]
    for axes, (name, text), (colour, _) in zip(panels, curves, STYLES, strict=False):
        axes.plot(epochs, [point[name] for point in found], color=colour, marker="o",
                  markersize=3)
        for place, change in enumerate(changes):
            axes.axvline(change, color=LIGHT, linestyle=":", linewidth=1.2, zorder=0,
                         label="aligned again" if not place else None)
        axes.set(ylabel=text)
        lines_behind(axes, "y")
    panels[-1].set(xlabel="epoch")
    panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    legend_below(figure, panels[0])
    title(figure, about)
    return figure
