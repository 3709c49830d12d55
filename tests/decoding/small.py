"""Small recognisers, and what every word sequence scores with them, by the definitions alone.

A sentence is a chain of states: words, each by one of its pronunciations, with a pause or none at
every gap. What the chain scores is a dynamic program over its states and the frames. Nothing here
knows a network.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from pipeline.decoding.grammar import Grammar
from pipeline.decoding.lexicon import Lexicon, Pronunciation
from pipeline.ngram.kneser_ney import estimate
from pipeline.ngram.model import NgramModel

PHONES = ("SIL", "a", "b", "c")


class Tied:
    """Phones of one to three states, each tied at random over its neighbours."""

    def __init__(self, seed: int, states: int = 12, most: int = 3) -> None:
        random = np.random.default_rng(seed)
        self.stay = np.log(random.uniform(0.2, 0.8, states))
        lengths = {phone: int(random.integers(1, most + 1)) for phone in PHONES}
        self._table = {key: tuple(random.integers(0, states, lengths[key[1]]).tolist())
                       for key in product(PHONES, repeat=3)}
        silence = self._table["SIL", "SIL", "SIL"]
        self._table.update({key: silence for key in self._table if key[1] == "SIL"})

    def states(self, left: str, phone: str, right: str) -> tuple[int, ...]:
        return self._table[left, phone, right]


@dataclass(frozen=True)
class Recogniser:
    """All that a recogniser is made of; `model` None means a uniform grammar."""

    lexicon: Lexicon
    tied: Tied
    model: NgramModel | None
    pause: float

    @property
    def grammar(self) -> Grammar:
        if self.model is None:
            return Grammar.uniform(len(self.lexicon.words))
        return Grammar.of_ngrams(self.model, range(len(self.lexicon.words)))

    def language(self, words: tuple[int, ...]) -> float:
        """log P(words, end)."""
        if self.model is None:
            return -float(np.log(len(self.lexicon.words) + 1)) * (len(words) + 1)
        return float(self.model.score(np.array([*words, self.model.end])).sum())

    def acoustic(self, words: tuple[int, ...], frames: NDArray[np.float64]) -> float:
        """The best chain of a word sequence, acoustic model and dictionary alone."""
        return max((self._chain(chain, frames) + weight
                    for chain, weight in self._chains(words)), default=-np.inf)

    def _chains(self, words: tuple[int, ...]) -> Iterator[tuple[tuple[str, ...], float]]:
        """Phones and pauses of each way to say the words, and what its choices cost."""
        said = product(*(self.lexicon.by_word[word] for word in words))
        for choice, pauses in product(said, list(product([0, 1], repeat=len(words) + 1))):
            if not words:
                yield ("SIL",), float(np.log(self.pause))
                return
            phones: list[str] = ["SIL"] * pauses[0]
            for entry, pause in zip(choice, pauses[1:], strict=True):
                phones += [*entry.phones, *["SIL"] * pause]
            yield tuple(phones), (
                sum(np.log(self.pause if pause else 1 - self.pause) for pause in pauses)
                + sum(entry.log_probability for entry in choice))

    def _chain(self, phones: tuple[str, ...], frames: NDArray[np.float64]) -> float:
        around = ("SIL", *phones, "SIL")
        states = [state for place in range(1, len(around) - 1)
                  for state in self.tied.states(*around[place - 1 : place + 2])]
        stay = self.tied.stay[states]
        leave = np.log(1 - np.exp(stay))
        best = np.full(len(states), -np.inf)
        for time, frame in enumerate(frames):
            moved = np.concatenate([[0.0 if time == 0 else -np.inf], best[:-1] + leave[:-1]])
            best = np.maximum(best + stay, moved) + frame[states]
        return float(best[-1] + leave[-1])


def recogniser(seed: int, order: int = 2, pause: float = 0.3) -> Recogniser:
    """Four words, three with one phone, two that sound alike, one with two variants."""
    lexicon = Lexicon((Pronunciation("A", ("a",)), Pronunciation("AB", ("a", "b")),
                       Pronunciation("B", ("b",)), Pronunciation("AB", ("c", "a", "b"), -0.5),
                       Pronunciation("BE", ("b",), -0.25)), PHONES, "SIL")
    if order == 0:
        return Recogniser(lexicon, Tied(seed), None, pause)
    random = np.random.default_rng(seed)
    words, end = len(lexicon.words), len(lexicon.words)
    text = [token for _ in range(12)
            for token in [*random.integers(0, words, random.integers(1, 4)).tolist(), end]]
    return Recogniser(lexicon, Tied(seed), estimate(np.array(text), words + 1, end, order), pause)


def sequences(words: int, longest: int) -> list[tuple[int, ...]]:
    """All word sequences of up to `longest` words."""
    return [found for length in range(longest + 1)
            for found in product(range(words), repeat=length)]


def frames_of(seed: int, length: int, states: int = 12) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0, 3, (length, states))
