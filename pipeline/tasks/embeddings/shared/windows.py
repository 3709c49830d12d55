"""Windows of words around a centre, made for whole batches at once.

An epoch has as many batches as any other, each with an equal share of the epoch's centres in an
order of its own. What is drawn (dropped words, reaches of windows, corrupted centres) is drawn for
a whole epoch from its number and the seed, so nothing depends on the size of a batch.
"""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.systems.base import Batch
from pipeline.tasks.embeddings.shared.text import BREAK

Ids = NDArray[np.integer[Any]]


def neighbours(text: Ids, sentence: Ids, centres: Ids, window: int) -> tuple[Ids, NDArray[Any]]:
    """Words around places of a text, and which of them there are, both [centres, 2 * window].

    Columns go from `window` words before a centre to `window` after it, the centre left out; a
    place outside the centre's sentence has an arbitrary word and is marked False. `sentence`
    numbers the sentence of each place.
    """
    offsets = np.array([*range(-window, 0), *range(1, window + 1)])
    places = centres[:, None] + offsets
    inside = (places >= 0) & (places < len(text))
    places = np.where(inside, places, centres[:, None])
    return text[places], inside & (sentence[places] == sentence[centres][:, None])


def sentence_numbers(text: Ids) -> Ids:
    """Number of the sentence of each place; a break is none's (-1)."""
    return np.where(text == BREAK, -1, np.cumsum(text == BREAK))


class _Epochs:
    """Equal shares of an epoch's centres; the epoch at hand is kept."""

    def __init__(self, text: Ids, batch_words: int, seed: int, shuffle: bool) -> None:
        self.text = np.asarray(text)
        self.seed = seed
        self.shuffle = shuffle
        self.batches = max(1, math.ceil(np.count_nonzero(self.text != BREAK) / batch_words))
        self._drawn: tuple[int, Any] | None = None

    def plan(self, epoch: int) -> list[tuple[int, int]]:
        """(epoch, number of the batch)."""
        return [(epoch, number) for number in range(self.batches)]

    def drawn(self, epoch: int) -> Any:
        if self._drawn is None or self._drawn[0] != epoch:
            self._drawn = epoch, self._draw(np.random.Generator(
                np.random.PCG64([self.seed, epoch])))
        return self._drawn[1]

    def _draw(self, generator: np.random.Generator) -> Any:
        raise NotImplementedError

    def _order(self, centres: Ids, generator: np.random.Generator) -> Ids:
        return generator.permutation(centres) if self.shuffle else centres

    def _share(self, centres: Ids, number: int) -> Ids:
        bounds = [len(centres) * part // self.batches for part in (number, number + 1)]
        return centres[slice(*bounds)]


class SubsampledWindows(_Epochs):
    """word2vec's windows (Mikolov et al. 2013, sections 2.3 and 3).

    A word that is a share f of the text is kept with probability min(1, sqrt(threshold / f)), and
    words that stood apart may become neighbours. Each centre's window reaches 1 to `window` words
    to both sides, all reaches equally likely, which favours near words.
    """

    def __init__(self, text: Ids, keep: NDArray[np.float64], window: int, batch_words: int,
                 seed: int, shuffle: bool) -> None:
        super().__init__(text, batch_words, seed, shuffle)
        self.keep = np.append(keep, 1.0)  # index -1 is the break
        self.window = window

    def _draw(self, generator: np.random.Generator) -> tuple[Ids, Ids, Ids, Ids]:
        text = self.text[generator.random(len(self.text)) < self.keep[self.text]]
        reach = generator.integers(1, self.window + 1, len(text))
        centres = self._order(np.flatnonzero(text != BREAK), generator)
        return text, sentence_numbers(text), reach, centres

    def load(self, description: tuple[int, int]) -> Batch:
        """`centres` [rows], `sizes` [rows] (words in each window), `contexts` [sum of sizes].

        `contexts` has the windows' words row after row. Centres without a neighbour are left out.
        """
        epoch, number = description
        text, sentence, reach, order = self.drawn(epoch)
        centres = self._share(order, number)
        words, there = neighbours(text, sentence, centres, self.window)
        distances = [*range(self.window, 0, -1), *range(1, self.window + 1)]
        there &= np.array(distances) <= reach[centres][:, None]
        sizes = there.sum(1)
        return {"centres": torch.from_numpy(text[centres[sizes > 0]].astype(np.int64)),
                "sizes": torch.from_numpy(sizes[sizes > 0]),
                "contexts": torch.from_numpy(words[there].astype(np.int64))}


class CorruptedWindows(_Epochs):
    """Whole windows, and a word to put in the place of each centre (Collobert and Weston 2008).

    `words` counts the vocabulary; beside a sentence's ends a window has the id `words`.
    """

    def __init__(self, text: Ids, words: int, window: int, batch_words: int, seed: int,
                 shuffle: bool) -> None:
        super().__init__(text, batch_words, seed, shuffle)
        self.words = words
        self.window = window
        self.sentence = sentence_numbers(self.text)

    def _draw(self, generator: np.random.Generator) -> tuple[Ids, Ids]:
        noise = generator.integers(0, self.words, len(self.text))
        return noise, self._order(np.flatnonzero(self.text != BREAK), generator)

    def load(self, description: tuple[int, int]) -> Batch:
        """`contexts` [rows, 2 * window], `centres` and `noise` [rows]."""
        epoch, number = description
        noise, order = self.drawn(epoch)
        centres = self._share(order, number)
        words, there = neighbours(self.text, self.sentence, centres, self.window)
        contexts = np.where(there, words, self.words)
        return {name: torch.from_numpy(ids.astype(np.int64)) for name, ids in (
            ("contexts", contexts), ("centres", self.text[centres]), ("noise", noise[centres]))}
