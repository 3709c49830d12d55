"""Pictures of a recogniser's errors: who is misheard, and what lower-ranked hypotheses would mend.

Speakers differ more than systems do, so an error rate over all of them hides for whom a recogniser
fails. And where the right words are among the n best hypotheses but not first, the search heard
them and the ranking is wrong: the "oracle" error rate (Jurafsky and Martin, "Speech and Language
Processing", 2nd ed., section 10.1) bounds what any rescoring of the list can reach.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from pipeline.decoding.oracle import fewest_errors
from pipeline.drawing.parts import legend_below, lines_behind, title
from pipeline.drawing.style import WIDTH, look
from pipeline.storage.predictions import Prediction
from pipeline.storage.words import words_in

NAMED = 80  # with more speakers side by side their names cannot be read

Item = Mapping[str, Any]
Answers = Mapping[str, Sequence[Prediction]]
"""By variant, in the order of the items."""


@dataclass(frozen=True)
class OfSpeakers:
    """Word error rates in percent, `rates` [variants, speakers], of the speakers `names`.

    Speakers are sorted by their mean over the variants, the best understood first.
    """

    names: list[str]
    rates: NDArray[np.float64]


def conditions(items: Sequence[Item]) -> dict[str, NDArray[np.int64]]:
    """The places of each condition's items, by name in alphabetical order."""
    found = np.array([item["condition"] for item in items])
    return {str(name): np.flatnonzero(found == name) for name in np.unique(found)}


def of_speakers(items: Sequence[Item], answers: Answers) -> OfSpeakers:
    """The error rate of each speaker; one whose references have no words has none."""
    references = [words_in(item["reference"]) for item in items]
    speakers, owners = np.unique([item["speaker"] for item in items], return_inverse=True)
    words = np.bincount(owners, [len(reference) for reference in references])
    errors = np.array([
        np.bincount(owners, [fewest_errors(reference, [words_in(answer["hypothesis"])])[0]
                             for reference, answer in zip(references, found, strict=True)])
        for found in answers.values()])
    heard = np.flatnonzero(words > 0)
    rates = 100 * errors[:, heard] / words[heard]
    order = np.argsort(rates.mean(axis=0), kind="stable")
    # Names of test speakers begin with their condition, which a panel's title says.
    return OfSpeakers([str(speakers[heard[place]]).rpartition("/")[2] for place in order],
                      rates[:, order])


def oracle_errors(items: Sequence[Item], answers: Sequence[Prediction]) -> NDArray[np.float64]:
    """Word error rate in percent of the best among the first 1, 2, ... hypotheses, [most].

    An utterance with fewer alternatives than another keeps its best; one without any has its
    hypothesis alone. Not a number where the references have no words.
    """
    most = max(len(answer["alternatives"]) for answer in answers)
    total, words = np.zeros(max(most, 1)), 0
    for item, answer in zip(items, answers, strict=True):
        reference = words_in(item["reference"])
        texts = ([other["text"] for other in answer["alternatives"]] or [answer["hypothesis"]])
        found = fewest_errors(reference, [words_in(text) for text in texts])
        total += np.pad(found, (0, len(total) - len(found)), mode="edge")
        words += len(reference)
    return 100 * total / words if words else np.full(len(total), np.nan)


def speakers(items: Sequence[Item], answers: Answers, row: str) -> Figure:
    """A dot for each speaker and variant, one panel a condition."""
    found = {condition: of_speakers([items[place] for place in places], _chosen(answers, places))
             for condition, places in conditions(items).items()}
    widths = [min(max(0.14 * len(panel.names), 2.2), 7.0) for panel in found.values()]
    figure = Figure(figsize=(max(6.0, min(WIDTH, 1.0 + sum(widths) + 0.3 * len(widths))), 4.2),
                    layout="constrained")
    panels = figure.subplots(1, len(found), sharey=True, squeeze=False, width_ratios=widths)[0]
    for axes, (condition, panel) in zip(panels, found.items(), strict=True):
        places = np.arange(len(panel.names))
        # Equal rates stand beside each other.
        shifts = 0.18 * (np.arange(len(answers)) - (len(answers) - 1) / 2)
        for number, (variant, rates, shift) in enumerate(zip(answers, panel.rates, shifts,
                                                             strict=True)):
            axes.plot(places + shift, rates, look(number).marker, color=look(number).color,
                      markersize=4, label=variant)
        named = places if len(places) <= NAMED else places[:0]
        axes.set_xticks(named, [panel.names[place] for place in named], rotation=90, fontsize=7)
        axes.set(xlabel="speaker, sorted by error", title=f"'{condition}', {len(places)} speakers")
        axes.margins(x=0.6 / max(len(places), 1))
        lines_behind(axes, "y")
    _finish(figure, panels[0])
    title(figure, f"Whom {row} mishears: word error rate of each speaker")
    return figure


def oracle(items: Sequence[Item], answers: Answers, row: str) -> Figure:
    """Error rates by how many hypotheses may be chosen from, one panel a condition."""
    parts = conditions(items)
    figure = Figure(figsize=(min(WIDTH, 2.2 + 3.8 * len(parts)), 3.9), layout="constrained")
    panels = figure.subplots(1, len(parts), sharey=True, squeeze=False)[0]
    for axes, (condition, places) in zip(panels, parts.items(), strict=True):
        for number, (variant, found) in enumerate(_chosen(answers, places).items()):
            rates = oracle_errors([items[place] for place in places], found)
            axes.plot(np.arange(len(rates)) + 1, rates, marker=look(number).marker,
                      color=look(number).color, markersize=5, label=variant)
        axes.set(xlabel="hypotheses to choose from, n", title=f"'{condition}'")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        lines_behind(axes)
    _finish(figure, panels[0])
    title(figure, f"How low the error of {row} would be if the best of its first n hypotheses "
                  "were chosen")
    return figure


def _chosen(answers: Answers, places: NDArray[np.int64]) -> dict[str, list[Prediction]]:
    return {variant: [found[place] for place in places] for variant, found in answers.items()}


def _finish(figure: Figure, axes: Axes) -> None:
    """Rates from 0 on, whose markers are whole, and the variants below all panels."""
    axes.set(ylabel="word error rate, %")
    top = axes.get_ylim()[1]
    axes.set_ylim(-0.03 * top, top)
    legend_below(figure, axes)
