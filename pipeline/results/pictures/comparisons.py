"""The systems of a track beside each other: how they learnt, and what a better score costs."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.drawing.parts import fit_scale, legend_beside, lines_behind, title
from pipeline.drawing.style import Look
from pipeline.results.pictures.style import canvas
from pipeline.scoring.scores import Metric

_TITLE = 5.5  # inches, of a title beside a legend
_MOST_POINTS = 100  # of a curve; more are no wider than the line


def curves(losses: Mapping[str, tuple[Sequence[float], Sequence[float]]],
           looks: Mapping[str, Look], track: str) -> Figure:
    """Validation loss over steps; `losses` has the steps and the losses of each system."""
    figure, axes = canvas(3.6)
    for name, (steps, values) in losses.items():
        of = looks[name]
        shown = np.unique(np.linspace(0, len(steps) - 1, min(len(steps), _MOST_POINTS), dtype=int))
        axes.plot([steps[place] for place in shown], [values[place] for place in shown],
                  color=of.color, linestyle=of.linestyle, marker=of.marker, markersize=3,
                  markevery=max(1, len(shown) // 10), linewidth=1.2, label=name)
    found = [value for _, values in losses.values() for value in values]
    fit_scale(axes.yaxis, found)
    _finish(figure, axes, "steps (batches seen)", "validation loss, lower is better",
            f"How the systems of {track} learnt")
    return figure


def cost(scores: Mapping[str, tuple[float, float]], looks: Mapping[str, Look], axis: str,
         metric_name: str, metric: Metric, track: str) -> Figure:
    """Score against cost, `axis` says which; `scores` has the cost and the score of each row."""
    figure, axes = canvas(3.6)
    for name, (spent, value) in scores.items():
        axes.plot(spent, value, color=looks[name].color, marker=looks[name].marker, markersize=7,
                  alpha=0.8, linestyle="none", label=name)
    fit_scale(axes.xaxis, [spent for spent, _ in scores.values()])
    fit_scale(axes.yaxis, [value for _, value in scores.values()])
    _finish(figure, axes, axis, f"{named(metric_name)}, {metric.preference}",
            f"What a better score costs in {track}")
    return figure


def over_facet(shown: Mapping[str, Sequence[float]], looks: Mapping[str, Look],
               pools: Sequence[str], axis: str, metric_name: str, metric: Metric,
               track: str) -> Figure:
    """The metric over pools of items; NaN where a row has no score in a pool."""
    figure, axes = canvas(3.6)
    for name, values in shown.items():
        of = looks[name]
        axes.plot(range(len(pools)), values, color=of.color, linestyle=of.linestyle,
                  marker=of.marker, markersize=4, linewidth=1.2, label=name)
    axes.set_xticks(range(len(pools)), pools, fontsize=8)
    found = [value for values in shown.values() for value in values if value == value]
    if metric.better == "lower":
        fit_scale(axes.yaxis, found)
    _finish(figure, axes, axis, f"{named(metric_name)}, {metric.preference}",
            f"{named(metric_name)} of the rows of {track}, by {axis.partition(',')[0]}")
    return figure


def named(metric: str) -> str:
    """A metric's name as a word of a sentence."""
    return metric.replace("_", " ")


def _finish(figure: Figure, axes: Axes, x: str, y: str, about: str) -> None:
    axes.set(xlabel=x, ylabel=y)
    lines_behind(axes)
    legend_beside(figure, axes)
    title(figure, about, _TITLE)
