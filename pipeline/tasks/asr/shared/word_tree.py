"""A language model of words that lets letters spell nothing but words of a dictionary.

The letters of all words are a tree (a trie); a prefix stands at a node of it, and a symbol that
continues no word is forbidden: its score is minus infinity. So are a space and the end where no
word is complete, two spaces in a row, and a space at either end. The n-grams are those of
recognisers whose words are phones (`grammars.ngrams`), so both kinds know the same of sentences.

A word's log-probability is not kept for the space behind it. Each letter pays the fall of the best
one among the words that it still leaves possible (Ortmanns, Ney and Eiden 1996, "Language-model
look-ahead for large vocabulary speech recognition"): the sum over a word's letters is the same, and
a prefix that only rare words continue falls out of the beam earlier.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.tasks.asr.shared.grammars import LanguageModel, ngrams
from pipeline.tasks.asr.shared.language_model import SPACE, State, Weighted, shortened

_CACHED = 1 << 16
_CACHED_CONTEXTS = 1 << 10  # each with as many numbers as there are words


class Node(NamedTuple):
    """Words `low` to before `high` begin with the same letters; `word` has no others, or is -1."""

    low: int
    high: int
    word: int


class Place(NamedTuple):
    """The words before, and the node of the letters since; node 0 has none of them.

    `may_end` is false behind a space.
    """

    context: State
    node: int
    may_end: bool


class WordTree(Weighted):
    """As `WordModel`, of the words of a dictionary alone; one with other letters is left out.

    Words of `texts` are words of the dictionary. A prefix scores alpha * log p(text) + beta *
    (number of words); symbol ids are those of CTC, blank at 0.
    """

    def __init__(self, texts: Sequence[str], words: Sequence[str], symbols: Sequence[str],
                 name: LanguageModel, alpha: float, beta: float) -> None:
        ids = {symbol: number for number, symbol in enumerate(symbols, start=1)}
        letters = set(ids) - {SPACE}
        # Sorted, the words of a node stand side by side.
        spelt = sorted(word for word in set(words) if word and set(word) <= letters)
        others = sorted(set(words) - set(spelt))
        self._model = ngrams(name, texts, [*spelt, *others])
        self._space = ids.get(SPACE)
        self._nodes = [Node(0, len(spelt), -1)]
        self._children: list[dict[int, int]] = [{}]
        self._grow(spelt, ids)
        self._alpha = alpha
        self._beta = beta
        self._logs = lru_cache(_CACHED_CONTEXTS)(self._model.distribution)
        self._ahead = lru_cache(_CACHED)(self._best_ahead)

    def start(self) -> Place:
        return Place((self._model.start,), 0, True)

    def extend(self, place: Place, symbol: int) -> tuple[float, Place]:
        if symbol == self._space:
            gain, context = self._close(place)
            return gain, Place(context, 0, False)
        child = self._children[place.node].get(symbol)
        if child is None:
            return -math.inf, place
        gain = self._ahead(place.context, child) - self._ahead(place.context, place.node)
        return self._alpha * gain, Place(place.context, child, True)

    def finish(self, place: Place) -> float:
        if place.node:
            gain, context = self._close(place)
        else:
            gain, context = (0.0 if place.may_end else -math.inf), place.context
        return gain + self._alpha * float(self._logs(context)[self._model.end])

    def _close(self, place: Place) -> tuple[float, State]:
        """What of a complete word was not paid for by its letters, and the longer context."""
        word = self._nodes[place.node].word
        if word < 0:
            return -math.inf, place.context
        gain = float(self._logs(place.context)[word]) - self._ahead(place.context, place.node)
        return (self._alpha * gain + self._beta,
                shortened((*place.context, word), self._model.order))

    def _best_ahead(self, context: State, node: int) -> float:
        """Log-probability of the likeliest word of a node; nothing was said yet at node 0."""
        if not node:
            return 0.0
        low, high, _ = self._nodes[node]
        logs: NDArray[np.float64] = self._logs(context)[low:high]
        return float(logs.max())

    def _grow(self, words: Sequence[str], ids: dict[str, int]) -> None:
        for number, word in enumerate(words):
            node = 0
            for letter in word:
                child = self._children[node].get(ids[letter])
                if child is None:
                    child = len(self._nodes)
                    self._children[node][ids[letter]] = child
                    self._nodes.append(Node(number, number, -1))
                    self._children.append({})
                self._nodes[child] = self._nodes[child]._replace(high=number + 1)
                node = child
            self._nodes[node] = self._nodes[node]._replace(word=number)
