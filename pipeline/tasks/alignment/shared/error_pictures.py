"""Pictures of an aligner's errors: how far boundaries are off, which phones it takes for which.

Errors have a sign here, since a search that places a symbol where its run ends is late by all of
it, and one that has learnt from wrong times is wrong to one side. A median does not show either.
Rounds of re-estimation are curves: the error may fall for good, or rise again while the network
explains its own mistakes better and better.

Colours: Okabe and Ito 2008, "Color Universal Design", which the colour-blind can tell apart; line
styles differ as well.
"""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.audio.phones import SILENCE
from pipeline.tasks.alignment.shared.pairing import pairs

STYLES = tuple(zip(("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"),
                   ("-", "--", ":", "-.", "-", "--", ":"), strict=True))
WIDEST = 100.0  # ms to either side that are shown
_BIN = 5.0  # ms
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


def errors(found: Mapping[str, NDArray[np.float64]]) -> Figure:
    """By variant, a histogram of signed errors in ms, and the share of boundaries below an error.
    """
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    edges = np.arange(-WIDEST, WIDEST + _BIN, _BIN)
    for (variant, late), (colour, style) in zip(found.items(), cycle(STYLES), strict=False):
        share = 100 * np.histogram(late, bins=edges)[0] / len(late)
        far = 100 * float(np.mean(~(np.abs(late) <= WIDEST)))
        left.stairs(share, edges, color=colour, linestyle=style, linewidth=1.6,
                    label=f"{variant} ({far:.1f} % farther off or missing)")
        below = 100 * np.mean(np.abs(late)[:, None] <= _TOLERANCES, axis=0)
        right.plot(_TOLERANCES, below, color=colour, linestyle=style, label=variant)
    left.axvline(0, color="0.7", linewidth=0.8, zorder=0)
    left.set(title="How late boundaries are, clean recordings",
             xlabel="answer minus reference (ms)", ylabel=f"boundaries in {_BIN:g} ms (%)",
             xlim=(-WIDEST, WIDEST))
    right.axvline(20, color="0.7", linewidth=0.8, zorder=0)
    right.set(title="How many are within a tolerance", xlabel="tolerance (ms)",
              ylabel="boundaries within it (%)", xlim=(0, WIDEST), ylim=(0, 100))
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", frameon=False,
                  fontsize=8, ncols=min(3, len(found)))
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


def confusion(names: Sequence[str], counts: NDArray[np.float64], variant: str) -> Figure:
    """Of each phone of the reference, a row, what share of it was answered by which, in percent."""
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(8.6, 7.6), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="viridis", vmin=0, vmax=100, interpolation="nearest")
    figure.colorbar(image, ax=axes, label="of the phone's occurrences (%)")
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set(title=f"Which phones were taken for which, '{variant}', clean recordings",
             xlabel="answered phone",
             ylabel=f"phone of the reference ('{MISSING}': nobody said one)")
    return figure


def rounds(found: Sequence[Mapping[str, Any]], title: str) -> Figure:
    """What each epoch of guess, train and re-estimate was worth on validation utterances.

    A point of `found` has `epoch`, `round`, `divergence` (nats a frame) and, where times are known,
    `median_ms` and `within_20`.
    """
    curves = [(name, text) for name, text in (
        ("divergence", "divergence (nats a frame)"), ("median_ms", "median error (ms)"),
        ("within_20", "boundaries within 20 ms (%)"))
        if all(point[name] is not None for point in found)]
    figure = Figure(figsize=(9, 1.2 + 2 * len(curves)), layout="constrained")
    panels: list[Axes] = list(figure.subplots(len(curves), 1, sharex=True, squeeze=False)[:, 0])
    epochs = [point["epoch"] for point in found]
    changes = [point["epoch"] - 0.5 for before, point in zip(found, found[1:], strict=False)
               if point["round"] != before["round"]]
    for axes, (name, text), (colour, _) in zip(panels, curves, STYLES, strict=False):
        axes.plot(epochs, [point[name] for point in found], color=colour, marker="o",
                  markersize=3)
        for place, change in enumerate(changes):
            axes.axvline(change, color="0.7", linestyle=":", linewidth=0.9, zorder=0,
                         label="aligned again" if not place else None)
        axes.set(ylabel=text)
    panels[0].set(title=title)
    panels[-1].set(xlabel="epoch")
    if changes:
        panels[0].legend(frameon=False, fontsize=8)
    return figure
