"""Which of the finished hypotheses of an encoder-decoder is the answer.

A decoder's log-probability falls with every letter, so it prefers short texts, and it has heard
its language in the training transcripts alone. So a hypothesis Y of an utterance X scores

    ((1 - c) log P(Y | X) + c log P_CTC(Y | X)) / letters of Y + l log P_LM(Y)

(Chan et al. 2016, section 2.5; c: Watanabe et al. 2017, "Hybrid CTC/Attention Architecture for
End-to-End Speech Recognition"). CTC must hear every part of the sound once and in its order; a
decoder that skips words or says them twice is corrected by it. The weights c and l are chosen on
validation utterances, by the fewest word errors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from pipeline.decoding.oracle import fewest_errors
from pipeline.entries import Entry
from pipeline.storage.words import words_in
from pipeline.tasks.asr.shared.grids import Tried, best_of

Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]


class Ranking(Entry):
    """How many hypotheses there are, and the grid of what is added to their scores."""

    beam: int = Field(ge=1, le=1000, description="hypotheses that are followed and finished")
    order: int = Field(ge=1, le=20, description="letters of an n-gram of the language model")
    language_weights: list[Weight] = Field(min_length=1, description="the grid of l")
    ctc_weights: list[Share] = Field(min_length=1, description="the grid of c; [0.0] without CTC")
    alternatives: int = Field(ge=1, description="hypotheses of an utterance, the best included")


@dataclass(frozen=True)
class Weights:
    language: float
    ctc: float


@dataclass(frozen=True)
class Hypothesis:
    """A text, how many letters were written, and log-probabilities; CTC's is 0 without CTC."""

    text: str
    letters: int
    decoder: float
    ctc: float
    language: float

    def score(self, weights: Weights) -> float:
        sound = (1 - weights.ctc) * self.decoder + weights.ctc * self.ctc
        return sound / max(1, self.letters) + weights.language * self.language


def ranked(hypotheses: Sequence[Hypothesis], weights: Weights) -> list[Hypothesis]:
    """The best first, of those that are the same words the best alone."""
    found: dict[str, Hypothesis] = {}
    for one in sorted(hypotheses, key=lambda one: -one.score(weights)):
        found.setdefault(one.text, one)
    return list(found.values())


def try_all(grid: Ranking, utterances: Sequence[Sequence[Hypothesis]],
            references: Sequence[str]) -> list[Tried]:
    """The word errors of every pair of the grid."""
    wanted = [words_in(text) for text in references]
    tried = []
    for language in grid.language_weights:
        for ctc in grid.ctc_weights:
            weights = Weights(language, ctc)
            errors = sum(fewest_errors(words, [words_in(ranked(found, weights)[0].text)])[0]
                         for words, found in zip(wanted, utterances, strict=True))
            tried.append(Tried({"language": language, "ctc": ctc}, errors,
                               sum(map(len, wanted))))
    return tried


def chosen(grid: Ranking, tried: Sequence[Tried]) -> Weights:
    """The best pair that was tried; of a system that has tried nothing yet the grid's middle."""
    if tried:
        best = best_of(tried)
        return Weights(best["language"], best["ctc"])
    rows, columns = grid.language_weights, grid.ctc_weights
    return Weights(rows[len(rows) // 2], columns[len(columns) // 2])
