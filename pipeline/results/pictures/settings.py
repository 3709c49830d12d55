"""The picture of a study: scores on validation data over the values of one setting.

Where intervals are known they are bands. Where it is known how long each value took to answer, the
same scores stand over the seconds, too.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.drawing.parts import fit_scale, legend_beside, lines_behind, title, wrapped
from pipeline.drawing.style import GREY, look
from pipeline.results.pictures.style import canvas
from pipeline.scoring.records import Score

Value = float | str | bool | None
_TITLE = 6.5  # inches, of a title beside a legend
_ROOM = 0.04  # of the axis, for the name of a value


def draw(values: Sequence[Value], scores: Mapping[str, Sequence[Score]], stands: Value, axis: str,
         measure: str, seconds: Sequence[float] | None = None) -> Figure:
    """A line for each way to answer; `stands` is the value that params.yaml has.

    Numbers stand where they are, in case there is room for them; other values side by side.
    """
    figure, axes = canvas(3.6)
    if seconds is not None:
        axes.remove()
        axes, beside = figure.subplots(1, 2, sharey=True)
        _draw_seconds(beside, values, scores, seconds)
    places = _places(values)
    for number, (answer, found) in enumerate(scores.items()):
        of = look(number)
        axes.plot(places, [score["value"] for score in found], color=of.color,
                  linestyle=of.linestyle, marker=of.marker, markersize=5, linewidth=1.2,
                  label=answer)
        known = [(place, score["low"], score["high"])
                 for place, score in zip(places, found, strict=True)
                 if score["low"] is not None and score["high"] is not None]
        if known:
            at, low, high = zip(*known, strict=True)
            axes.fill_between(at, low, high, color=of.color, alpha=0.12, linewidth=0)
    if stands in values:
        axes.axvline(places[values.index(stands)], color=GREY, linestyle=":", linewidth=1.2,
                     label="in params.yaml")
    axes.set_xticks(places, [str(value) for value in values])
    axes.set(xlabel=axis, ylabel=wrapped(measure, figure.get_figheight() - 1.2, 9))
    axes.margins(y=0.1)
    lines_behind(axes)
    legend_beside(figure, axes)
    title(figure, f"What {axis} does to the score on validation data", _TITLE)
    return figure


def _draw_seconds(axes: Axes, values: Sequence[Value], scores: Mapping[str, Sequence[Score]],
                  seconds: Sequence[float]) -> None:
    """The scores over the time of answering, each with its value, joined in the values' order."""
    for number, found in enumerate(scores.values()):
        of = look(number)
        axes.plot(seconds, [score["value"] for score in found], color=of.color,
                  linestyle=of.linestyle, marker=of.marker, markersize=5, linewidth=1.2)
        for value, time, score in zip(values, seconds, found, strict=True):
            axes.annotate(str(value), (time, score["value"]), xytext=(4, 3),
                          textcoords="offset points", fontsize=7)
    fit_scale(axes.xaxis, seconds)
    axes.set(xlabel="seconds of answering, on the study's machine")
    axes.margins(x=0.1)
    lines_behind(axes)


def _places(values: Sequence[Value]) -> list[float]:
    numbers = [float(value) for value in values
               if isinstance(value, int | float) and not isinstance(value, bool)]
    sizes = sorted(numbers)
    room = _ROOM * (sizes[-1] - sizes[0]) if sizes else 0.0
    if len(numbers) == len(values) and all(later - earlier >= room
                                           for earlier, later in pairwise(sizes)):
        return numbers
    return [float(place) for place in range(len(values))]
