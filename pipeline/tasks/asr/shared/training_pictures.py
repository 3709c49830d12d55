"""Pictures of connectionist temporal classification: what it is trained with, and what that finds.

A transcript's loss is over all of its alignments (Graves et al. 2006). Followed over the epochs of
a training, it comes down to the loss of the best alignment alone, whose symbols meanwhile move to
where the network has decided to say them. And an answer that is the string of the most probable
path need not be the most probable string, which the smallest example there is shows.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from pipeline.nn.ctc import BLANK
from pipeline.nn.ctc_alignment import strings_and_paths
from pipeline.tasks.asr.shared.followed import Followed

# Two frames, in each of which the blank is likelier than the one symbol there is.
EXAMPLE = np.array([[0.6, 0.4], [0.6, 0.4]])
SYMBOLS = "A"


def alignments(followed: Followed) -> Figure:
    """What the transcript costs after each epoch, and where the best alignment has its symbols.

    Places are in frames of the features, those of an epoch on one line, the last epoch lowest.
    """
    epochs = np.arange(1, len(followed.moments) + 1)
    figure = Figure(figsize=(10, 7), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=[1, 1.4])
    above.plot(epochs, [moment.total for moment in followed.moments], marker=".",
               label="all alignments")
    above.plot(epochs, [moment.best for moment in followed.moments], marker=".", linestyle="--",
               label="best alignment")
    above.set_yscale("symlog", linthresh=0.1)  # the sum of a sure network rounds to 0
    above.set(xlabel="epoch", ylabel="-log P in nats", title=f"{followed.id}: {followed.text}")
    above.legend()
    above.xaxis.set_major_locator(MaxNLocator(integer=True))
    below.yaxis.set_major_locator(MaxNLocator(integer=True))
    # Axes: [epochs, symbols, first step and the step behind the last].
    places = np.array([moment.places for moment in followed.moments]) * followed.stack
    for number, symbol in enumerate(followed.text):
        first, end = places[:, number].T
        colour = f"C{number % 10}"
        below.hlines(epochs, first, end, color=colour, linewidth=3)
        below.plot((first + end) / 2, epochs, color=colour, linewidth=0.6)
        below.annotate(symbol.replace(" ", "␣"), ((first[-1] + end[-1]) / 2, epochs[-1]),
                       (0, -12), textcoords="offset points", ha="center", fontsize=8)
    below.set(xlabel="frame", ylabel="epoch", ylim=(len(epochs) + 1.5, 0.5),
              title="where the best alignment has each symbol")
    return figure


def paths_and_strings(probabilities: NDArray[np.floating] = EXAMPLE,
                      symbols: Sequence[str] = SYMBOLS) -> Figure:
    """All paths of a few frames with their probabilities, and those of the strings they make.

    `probabilities` [frames, 1 + symbols] are of the blank, drawn as a dash, and of `symbols`.
    """
    found = strings_and_paths(probabilities)
    figure = Figure(figsize=(9, 0.6 + 0.4 * sum(map(len, found.values()))), layout="constrained")
    left, right = figure.subplots(1, 2)
    for number, (string, paths) in enumerate(found.items()):
        colour = f"C{number % 10}"
        for path, probability in paths.items():
            _bar(left, "".join(symbols[one - 1] if one != BLANK else "–" for one in path),
                 probability, colour)
        said = "".join(symbols[one - 1] for one in string)
        _bar(right, f"“{said}”" if said else "nothing", sum(paths.values()), colour)
    left.set_title("paths, by the string they make")
    right.set_title("strings: the sum over their paths")
    for axes in (left, right):
        axes.invert_yaxis()
        axes.set(xlim=(0, 1), xlabel="probability")
    return figure


def _bar(axes: Axes, name: str, probability: float, colour: str) -> None:
    axes.barh(name, probability, color=colour)
    axes.annotate(f" {probability:.2f}", (probability, name), va="center")
