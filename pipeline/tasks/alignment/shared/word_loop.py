"""The best path through words of a dictionary, one after the other, with or without pauses.

Sequences of phones that no words make are left out (CMU 11-785, "Connectionist Temporal
Classification", first part: option 1 for what merging does to repeats). Two equal phones in a row
are two places of the loop here, so nothing is merged. Each way to say a word is equally probable,
and so is a pause before, between and behind words as none.

N is the number of places: the phones of all ways end to end, and behind them the silence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from pipeline.nn.ctc import Ids, Scores
from pipeline.tasks.alignment.shared.batching import SILENCE

_HALF = float(np.log(0.5))
_START = -1  # before the first frame, where words and the silence may begin


@dataclass(frozen=True)
class WordLoop:
    """`symbols` [N]; `begins` and `ends` are the places where words begin and end.

    `staying` and `leaving` [N] are log-probabilities of a frame more, and of none.
    """

    symbols: Ids
    begins: Ids
    ends: Ids
    staying: Scores
    leaving: Scores

    @classmethod
    def of(cls, ways: Sequence[Ids], stays: Scores) -> Self:
        """A loop of `ways` to say words; `stays` [S] are below 0. Raises ValueError without any."""
        if not ways:
            raise ValueError("a dictionary without words says nothing")
        symbols = np.concatenate([*ways, [SILENCE]])
        ends = np.cumsum([len(way) for way in ways]) - 1
        staying = stays[symbols]
        return cls(symbols, np.concatenate([[0], ends[:-1] + 1]), ends, staying,
                   np.log(-np.expm1(staying)))

    def best(self, scores: Scores) -> tuple[Ids, Ids]:
        """Phones of the best path through an utterance [T, S], and the first frame of each.

        Where it is too short for any word it is a silence.
        """
        silence = len(self.symbols) - 1
        choice = _HALF - np.log(len(self.ends))
        emitted = scores[:, self.symbols]
        best = np.full(len(self.symbols), -np.inf)
        best[self.begins] = choice + emitted[0, self.begins]
        best[silence] = _HALF + emitted[0, silence]
        came = np.full((len(scores), len(self.symbols)), _START)
        everywhere = np.arange(len(self.symbols))
        for step in range(1, len(scores)):
            left = best + self.leaving
            last = self.ends[left[self.ends].argmax()]
            arrived = np.concatenate([[-np.inf], left[:-1]])
            before = everywhere - 1
            # A word follows the best of the words, or the silence behind them.
            paused = left[silence] > left[last] + _HALF
            arrived[self.begins] = (left[silence] if paused else left[last] + _HALF) + (
                choice - _HALF)
            before[self.begins] = silence if paused else last
            arrived[silence], before[silence] = left[last] + _HALF, last
            moved = arrived > best + self.staying
            came[step] = np.where(moved, before, everywhere)
            best = np.where(moved, arrived, best + self.staying) + emitted[step]
        return self._traced(came, best)

    def _traced(self, came: Ids, best: Scores) -> tuple[Ids, Ids]:
        # A silence behind the last word is half as probable as none, like one before the first.
        finals = np.append(self.ends, len(self.symbols) - 1)
        place = int(finals[best[finals].argmax()])
        symbols, starts = [], []
        for step in range(len(came) - 1, -1, -1):
            before = int(came[step, place])
            if before != place:
                symbols.append(int(self.symbols[place]))
                starts.append(step)
                place = before
        return np.array(symbols[::-1], np.int64), np.array(starts[::-1], np.int64)
