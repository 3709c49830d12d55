"""N-gram language models of transcripts, as prefix beam search asks them.

A prefix scores alpha * log p(text) + beta * (number of units): alpha says how much the text is
trusted beside the sound, beta balances the model's preference for few units. The units are
characters, or words, which are scored when they end. Among the words is any word, whose unknown
ones share the mass that Kneser-Ney leaves to unseen words, or none but those of a lexicon.

A model remembers of a prefix one integer. Symbols are those of CTC: the blank is 0, and
`symbols[n]` is n + 1.
"""

import copy
from collections.abc import Sequence
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.ngram.kneser_ney import estimate
from pipeline.ngram.model import NgramModel
from pipeline.ngram.states import NgramStates
from pipeline.nn.ctc import PrefixModel
from pipeline.storage.words import words_in

SPACE = " "

Ids = NDArray[np.int64]
Scores = NDArray[np.float64]


class WeightedModel(PrefixModel, Protocol):
    """A model of text whose weights can be changed without estimating it again."""

    def weighted(self, alpha: float, beta: float) -> Self:
        """The same model with other weights."""


class Weighted:
    """How the models here change their weights: what was estimated is shared."""

    _alpha: float
    _beta: float

    def weighted(self, alpha: float, beta: float) -> Self:
        """The same model with other weights."""
        found = copy.copy(self)
        found._alpha, found._beta = alpha, beta
        return found


def totals(model: PrefixModel, strings: Sequence[Sequence[int]]) -> Scores:
    """Score of whole strings, [strings]: of their symbols, one after the other, and of the end."""
    lengths = np.array([len(string) for string in strings])
    symbols = np.zeros((len(strings), lengths.max(initial=0)), np.int64)
    for row, string in enumerate(strings):
        symbols[row, : len(string)] = string
    states, found = np.full(len(strings), model.start()), np.zeros(len(strings))
    for place in range(symbols.shape[1]):
        longer = np.flatnonzero(lengths > place)
        gains, states[longer] = model.extend(states[longer], symbols[longer, place])
        found[longer] += gains
    return found + model.finish(states)


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
        model = _estimate(sentences, len(symbols) + 2, order)
        self._states = NgramStates(model)
        self._end = model.end
        self._alpha = alpha
        self._beta = beta

    def start(self) -> int:
        return self._states.start

    def extend(self, states: Ids, symbols: Ids) -> tuple[Scores, Ids]:
        logs, following = self._states.step(states, symbols)
        return self._alpha * logs + self._beta, following

    def finish(self, states: Ids) -> Scores:
        logs, _ = self._states.step(states, np.full(len(states), self._end))
        return self._alpha * logs


_BEGIN, _NOWHERE, _NEXT = range(3)
_NO_WORD = -1


class _Spelling:
    """Words by their letters: nodes of a trie, from which symbols lead to others.

    A sentence begins at `_BEGIN`, words after a space at `_NEXT`; `_NOWHERE` is where letters
    lead that begin no word. `children` has the shape [nodes, 1 + symbols], and `words` the number
    of the word that each node completes, or `_NO_WORD`.
    """

    def __init__(self, words: Sequence[str], symbols: Sequence[str]) -> None:
        ids = {symbol: number for number, symbol in enumerate(symbols, start=1)}
        self.symbols = 1 + len(symbols)
        self.space = ids.get(SPACE, self.symbols)
        nodes: list[dict[int, int]] = [{}, {}, {}]
        ends = [_NO_WORD] * len(nodes)
        for number, word in enumerate(words):
            node = _BEGIN
            for letter in word:
                if letter not in ids or letter == SPACE:
                    raise ValueError(f"no symbol writes {letter!r} of the word {word!r}")
                child = nodes[node].setdefault(ids[letter], len(nodes))
                if child == len(nodes):
                    nodes.append({})
                    ends.append(_NO_WORD)
                node = child
            if node == _BEGIN or ends[node] != _NO_WORD:
                raise ValueError(f"the word {word!r} is empty, or there twice")
            ends[node] = number
        nodes[_NEXT] = nodes[_BEGIN]
        self.words = np.array(ends)
        self.children = np.full((len(nodes), self.symbols), _NOWHERE, np.int32)
        for node, following in enumerate(nodes):
            self.children[node, list(following)] = list(following.values())


class _Words(Weighted):
    """Words that are scored at the space after them or at the end.

    The lower bits of a state are the node of the letters, the others the state of the words.
    """

    def __init__(self, model: NgramModel, spelling: _Spelling, alpha: float, beta: float) -> None:
        self.ngrams = model
        self._states = NgramStates(model)
        self._end = model.end
        self._spelling = spelling
        self._bits = len(spelling.words).bit_length()
        self._alpha = alpha
        self._beta = beta

    def start(self) -> int:
        return (self._states.start << self._bits) + _BEGIN

    def extend(self, states: Ids, symbols: Ids) -> tuple[Scores, Ids]:
        words, nodes = self._parts(states)
        symbols = np.atleast_1d(symbols)
        following = self._spelling.children[nodes, symbols]
        gains = np.zeros(len(following))
        self._close((symbols == self._spelling.space).nonzero()[0], words, nodes, gains)
        return gains, (words << self._bits) + following

    def finish(self, states: Ids) -> Scores:
        words, nodes = self._parts(states)
        gains = np.zeros(len(nodes))
        self._close(np.arange(len(nodes)), words, nodes, gains)
        logs, _ = self._states.step(words, np.full(len(words), self._end))
        return gains + self._alpha * logs

    def _parts(self, states: Ids) -> tuple[Ids, Ids]:
        states = np.atleast_1d(states)
        return states >> self._bits, states & ((1 << self._bits) - 1)

    def _close(self, which: Ids, words: Ids, nodes: Ids, gains: Scores) -> None:
        """Score the words that end with these letters, and put them behind the others."""
        closed = self._spelling.words[nodes[which]]
        which, closed = which[closed != _NO_WORD], closed[closed != _NO_WORD]
        logs, words[which] = self._states.step(words[which], closed)
        gains[which] = self._alpha * logs + self._beta


class WordModel(_Words):
    """Any word may be written: letters that spell no word of the texts spell one unknown word."""

    def __init__(self, texts: Sequence[str], symbols: Sequence[str], order: int, alpha: float,
                 beta: float) -> None:
        self.known = sorted({word for text in texts for word in words_in(text)})
        unknown = len(self.known)
        ids = {word: number for number, word in enumerate(self.known)}
        sentences = [[ids[word] for word in words_in(text)] for text in texts]
        spelling = _Spelling(self.known, symbols)
        letters = np.arange(len(spelling.words)) > _NEXT
        letters[_NOWHERE] = True
        spelling.words[letters & (spelling.words == _NO_WORD)] = unknown
        # Spaces may stand anywhere; several in a row are one.
        spelling.children[:, spelling.space : spelling.space + 1] = _NEXT
        super().__init__(_estimate(sentences, unknown + 2, order), spelling, alpha, beta)


class LexiconModel(_Words):
    """No word but those of a lexicon may be written, one space between two of them.

    `model` is over the places in `words`. A prefix may go on with what continues some word, with a
    space where a word is complete, and end there or where it is empty. Raises ValueError for a
    word that the symbols cannot write, an empty one, and one that is there twice.
    """

    def __init__(self, model: NgramModel, words: Sequence[str], symbols: Sequence[str],
                 alpha: float, beta: float) -> None:
        spelling = _Spelling(words, symbols)
        complete = spelling.words != _NO_WORD
        spelling.children[complete, spelling.space : spelling.space + 1] = _NEXT
        super().__init__(model, spelling, alpha, beta)

    def extend(self, states: Ids, symbols: Ids) -> tuple[Scores, Ids]:
        gains, following = super().extend(states, symbols)
        gains[self._parts(following)[1] == _NOWHERE] = -np.inf
        return gains, following

    def finish(self, states: Ids) -> Scores:
        _, nodes = self._parts(states)
        may_end = (self._spelling.words[nodes] != _NO_WORD) | (nodes == _BEGIN)
        return np.where(may_end, super().finish(states), -np.inf)
