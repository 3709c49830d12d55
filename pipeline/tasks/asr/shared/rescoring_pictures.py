"""What a recurrent language model adds to an n-gram, on validation utterances, by its share.

Left of the picture the n-gram is alone, right of it the recurrent model. Between them the curve
says whether the two know different things: then it has its lowest place inside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from matplotlib.figure import Figure

from pipeline.drawing.parts import legend_below, lines_behind, title
from pipeline.drawing.style import BLUE, SKY
from pipeline.tasks.asr.shared.grids import Tried, best_of
from pipeline.tasks.asr.shared.recogniser import weights_of


@dataclass(frozen=True)
class Mixes:
    """Word error rates in percent by mix: of the chosen weights, and the least and most of all."""

    mixes: list[float]
    chosen: list[float]
    least: list[float]
    most: list[float]
    best: Tried

    @classmethod
    def of(cls, trials: Sequence[Tried]) -> Self:
        """`trials` is not empty."""
        best = best_of(trials)
        mixes = sorted({trial["mix"] for trial in trials})
        rates = [[(weights_of(trial) == weights_of(best), trial.rate)
                  for trial in trials if trial["mix"] == mix] for mix in mixes]
        return cls(mixes, [next(rate for own, rate in row if own) for row in rates],
                   [min(rate for _, rate in row) for row in rates],
                   [max(rate for _, rate in row) for row in rates], best)


def mixes(trials: Mapping[str, Sequence[Tried]], row: str) -> Figure:
    """A panel for each language model of two passes; the chosen mix has a ring."""
    figure = Figure(figsize=(max(6.0, 0.6 + 4.2 * len(trials)), 3.9), layout="constrained")
    panels = figure.subplots(1, len(trials), squeeze=False)[0]
    for axes, (name, tried) in zip(panels, trials.items(), strict=True):
        found = Mixes.of(tried)
        axes.fill_between(found.mixes, found.least, found.most, color=SKY, alpha=0.3,
                          label="all weights of the grid")
        # No errors at all are on the edge of the axes, and seen whole.
        axes.plot(found.mixes, found.chosen, color=BLUE, marker="o", markersize=4, clip_on=False,
                  label="the chosen weights")
        axes.plot([found.best["mix"]], [found.best.rate], color=BLUE, marker="o", markersize=11,
                  fillstyle="none", linestyle="none", clip_on=False, label="the chosen mix")
        axes.set(title=name, xlabel="share of the recurrent model",
                 ylabel="validation word error rate, %", ylim=(0, None))
        lines_behind(axes, "y")
    legend_below(figure, panels[0])
    title(figure, f"How much of the recurrent language model {row} chose for its second pass")
    return figure
