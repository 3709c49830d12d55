"""From log-probabilities of phones at each frame to phones and the frames at which they begin.

CMU 11-785, "Connectionist Temporal Classification", first part, compares them: the most probable
symbol at each frame, runs merged (time-synchronous); the best path where any symbol may follow any
(order-synchronous); the most probable symbol among those of the known sequence (try 1: absent rows
blocked), whose runs need not be the sequence; the table with a row for each symbol of the sequence
in its order (try 2: constrained); and the sequences that words of a dictionary make (option 1
against what merging does to repeats).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from pipeline.entries import VariantSettings
from pipeline.nn.ctc import Ids, Scores
from pipeline.nn.order_synchronous import (
    Run,
    best_alignments,
    blocked,
    order_synchronous,
    time_synchronous,
)
from pipeline.tasks.alignment.shared.batching import fits, starts_of, with_separators
from pipeline.tasks.alignment.shared.word_loop import WordLoop

Search = Literal["constrained", "blocked", "time-synchronous", "order-synchronous", "dictionary"]


class Variant(VariantSettings):
    """How an utterance is searched."""

    search: Search


class Found(NamedTuple):
    """Phones by their numbers, and the first frame of each."""

    symbols: Ids
    starts: Ids


@dataclass(frozen=True)
class Known:
    """What searches know beside an utterance.

    `stays` [S] are the log-probabilities that a symbol lasts another frame, `words` the ways in
    which words are said, as symbols.
    """

    stays: Scores
    words: Sequence[Ids]

    def found(self, search: Search, scores: Scores, symbols: Ids) -> Found:
        """The phones of an utterance whose `scores` [T, S] are; `symbols` [N] were said in it.

        Only "constrained" and "blocked" look at what was said.
        """
        if search == "constrained":
            return Found(symbols, constrained(scores, symbols))
        if search == "blocked":
            return of_runs(blocked(scores, symbols.tolist() or range(scores.shape[1])))
        if search == "time-synchronous":
            return of_runs(time_synchronous(scores))
        if search == "order-synchronous":
            return of_runs(order_synchronous(scores, self.stays))
        return Found(*WordLoop.of(self.words, self.stays).best(scores))


def constrained(scores: Scores, symbols: Ids) -> Ids:
    """The first frame of each of `symbols` [N] on the best path through their table.

    Phones that are more than there are frames have equal shares of them: no path fits.
    """
    if not fits(symbols, len(scores)):
        return np.arange(len(symbols)) * len(scores) // max(1, len(symbols))
    rows, places = with_separators(symbols)
    (path,), _ = best_alignments([scores], [len(scores)], [rows])
    return starts_of(places[path])


def of_runs(runs: Sequence[Run]) -> Found:
    """Runs that fill an utterance: each begins where the one before it has ended."""
    lasts = np.array([run.last for run in runs], np.int64)
    return Found(np.array([run.symbol for run in runs], np.int64),
                 np.concatenate([[0], lasts[:-1] + 1])[: len(runs)])


def in_symbols(lexicon: Mapping[str, Sequence[Sequence[str]]],
               labels: Sequence[str]) -> list[Ids]:
    """The ways in which words are said, each once, as numbers; none with an unknown phone."""
    numbers = {label: number for number, label in enumerate(labels)}
    ways = dict.fromkeys(tuple(way) for said in lexicon.values() for way in said)
    return [np.array([numbers[phone] for phone in way], np.int64) for way in ways
            if all(phone in numbers for phone in way)]
