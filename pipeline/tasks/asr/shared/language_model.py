"""N-gram language models of transcripts, as prefix beam search asks them for any symbols.

A prefix scores alpha * log p(text) + beta * (number of units): alpha says how much the text is
trusted beside the sound, beta balances the model's preference for few units. The units are
characters, or words, which are scored when they end; a word that was not in the training text
shares the mass that Kneser-Ney leaves to unseen words.
"""

import copy
from collections.abc import Sequence
from typing import Protocol, Self

import numpy as np

from pipeline.ngram.kneser_ney import estimate
from pipeline.ngram.model import NgramModel
from pipeline.nn.ctc import PrefixModel
from pipeline.storage.words import words_in

SPACE = " "
State = tuple[int, ...]


class WeightedModel(PrefixModel, Protocol):
    """A model of text whose weights can be changed without estimating it again."""

    def weighted(self, alpha: float, beta: float) -> Self:
        """The same model with other weights."""


class Weighted:
    """How models of this package change their weights: what was estimated is shared."""

    _alpha: float
    _beta: float

    def weighted(self, alpha: float, beta: float) -> Self:
        """The same model with other weights."""
        found = copy.copy(self)
        found._alpha, found._beta = alpha, beta
        return found


def total(model: PrefixModel, symbols: Sequence[int]) -> float:
    """Score of a whole string: of its symbols, one after the other, and of its end."""
    score, state = 0.0, model.start()
    for symbol in symbols:
        gain, state = model.extend(state, symbol)
        score += gain
    return score + model.finish(state)


def _estimate(sentences: Sequence[Sequence[int]], types: int, order: int) -> NgramModel:
    """A model over ids 0 .. types-1, whose last id is the end of a sentence."""
    end = types - 1
    tokens = np.array([token for sentence in sentences for token in (*sentence, end)])
    return estimate(tokens, types, end, order)


class CharacterModel(Weighted):
    """Each symbol is scored as it is appended; symbol ids are those of CTC, blank at 0."""

    def __init__(self, texts: Sequence[str], symbols: Sequence[str], order: int, alpha: float,
                 beta: float) -> None:
        ids = {symbol: number for number, symbol in enumerate(symbols, start=1)}
        sentences = [[ids[character] for character in text] for text in texts]
        self._model = _estimate(sentences, len(symbols) + 2, order)
        self._alpha = alpha
        self._beta = beta

    def start(self) -> State:
        return (self._model.start,)

    def extend(self, state: State, symbol: int) -> tuple[float, State]:
        gain = self._alpha * self._model.log_probability(state, symbol) + self._beta
        return gain, shortened((*state, symbol), self._model.order)

    def finish(self, state: State) -> float:
        return self._alpha * self._model.log_probability(state, self._model.end)


class WordModel(Weighted):
    """A word is scored at the space after it or at the end; state: (words so far, letters)."""

    def __init__(self, texts: Sequence[str], symbols: Sequence[str], order: int, alpha: float,
                 beta: float) -> None:
        known = sorted({word for text in texts for word in words_in(text)})
        self._ids = {word: number for number, word in enumerate(known)}
        sentences = [[self._ids[word] for word in words_in(text)] for text in texts]
        self._unknown = len(known)
        self._model = _estimate(sentences, len(known) + 2, order)
        self._symbols = list(symbols)
        self._alpha = alpha
        self._beta = beta

    def start(self) -> tuple[State, str]:
        return (self._model.start,), ""

    def extend(self, state: tuple[State, str], symbol: int) -> tuple[float, tuple[State, str]]:
        words, letters = state
        character = self._symbols[symbol - 1]
        if character != SPACE:
            return 0.0, (words, letters + character)
        gain, words = self._close(words, letters)
        return gain, (words, "")

    def finish(self, state: tuple[State, str]) -> float:
        gain, words = self._close(*state)
        return gain + self._alpha * self._model.log_probability(words, self._model.end)

    def _close(self, words: State, letters: str) -> tuple[float, State]:
        if not letters:
            return 0.0, words
        word = self._ids.get(letters, self._unknown)
        gain = self._alpha * self._model.log_probability(words, word) + self._beta
        return gain, shortened((*words, word), self._model.order)


def shortened(state: State, order: int) -> State:
    """The end of a context that an n-gram model of that order looks at."""
    return state[max(0, len(state) - order + 1) :]
