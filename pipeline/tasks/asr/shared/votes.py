"""What several recognisers answer together, of the n-best list that each has of an utterance.

Two ways (`combination`). ROVER takes the best hypothesis of each and votes word by word; a word is
as sure as those hypotheses of its recogniser are likely that have it in the same place. Or all
lists are added up, and the hypothesis is taken from which all others are expected to differ least.
Scores become probabilities by a scale: a large one trusts each list's first hypothesis, a small one
hears them all. The scale, and how much it counts how many say a word or nothing, are chosen on
validation utterances by the fewest word errors.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Annotated, Literal, assert_never, get_args

from pydantic import Field

from pipeline.decoding.oracle import fewest_errors
from pipeline.entries import Entry
from pipeline.storage.words import words_in
from pipeline.tasks.asr.shared.combination import (
    Scored,
    SureWord,
    Words,
    least_risk,
    rover,
    summed,
    transition_network,
)
from pipeline.tasks.asr.shared.grids import Tried, best_of
from pipeline.tasks.asr.shared.ranking import Share

Way = Literal["rover", "summed"]
WAYS: tuple[Way, ...] = get_args(Way)
Lists = Sequence[Sequence[Scored]]  # one of each recogniser, its best hypothesis first


class Voting(Entry):
    """How many hypotheses each recogniser gives, and the grid of how they are weighed."""

    hypotheses: int = Field(ge=1, le=1000, description="of each recogniser that are heard")
    scales: list[Annotated[float, Field(gt=0)]] = Field(
        min_length=1, description="by which a score counts for a logarithm of a probability")
    frequencies: list[Share] = Field(
        min_length=1, description="shares of a vote that count how many say so, not how surely")
    nothings: list[Share] = Field(
        min_length=1, description="how surely nothing is said by who says nothing")

    def grid(self, way: Way) -> list[dict[str, float]]:
        """Every combination of the weights that a way has, by name."""
        axes = {"scale": self.scales}
        if way == "rover":
            axes |= {"frequency": self.frequencies, "nothing": self.nothings}
        return [dict(zip(axes, point, strict=True)) for point in product(*axes.values())]


def together(way: Way, lists: Lists, weights: Mapping[str, float]) -> Words:
    """The words that the recognisers answer together; of equal votes the earliest list's."""
    match way:
        case "rover":
            found = rover([sure_words(one, weights["scale"]) for one in lists],
                          weights["frequency"], weights["nothing"])
            return tuple(word.word for word in found)
        case "summed":
            return least_risk(summed(lists, weights["scale"]))
        case _:
            assert_never(way)


def sure_words(hypotheses: Sequence[Scored], scale: float) -> list[SureWord]:
    """The words of the likeliest hypothesis, each with the probability of those that say it there.

    Raises ValueError where there is no hypothesis.
    """
    likely = summed([hypotheses], scale)
    network = transition_network([[SureWord(word, 1.0) for word in one.words] for one in likely])
    return [SureWord(best.word, min(1.0, sum(
        one.probability for one, said in zip(likely, slot, strict=True)
        if said is not None and said.word == best.word)))
        for slot in network if (best := slot[0]) is not None]


def try_all(way: Way, grid: Voting, utterances: Sequence[Lists],
            references: Sequence[str]) -> list[Tried]:
    """The word errors of every point of a way's grid."""
    wanted = [words_in(text) for text in references]
    return [Tried(weights, sum(fewest_errors(words, [list(together(way, lists, weights))])[0]
                               for words, lists in zip(wanted, utterances, strict=True)),
                  sum(map(len, wanted))) for weights in grid.grid(way)]


def chosen(way: Way, grid: Voting, tried: Sequence[Tried]) -> Mapping[str, float]:
    """The best point that was tried; of what has tried nothing yet the grid's middle."""
    return best_of(tried or [Tried(weights, 0, 0) for weights in grid.grid(way)]).weights
