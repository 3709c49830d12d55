"""An n-gram model as an automaton: many hypotheses take a step in a few calls of numpy.

What a model remembers of a text is the longest n-gram that the text ends with and that the model
has as a context: one integer. A step looks up that context with the next word; where the model
lacks it, the context's back-off is added and its longest suffix asked in its place (the failure
links of Aho and Corasick 1975, as Allauzen, Mohri and Roark 2003 represent back-off models).
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.ngram.index import ABSENT, Ids, KeyIndex, hashed
from pipeline.ngram.model import NgramModel

_REMEMBERED_BITS = 16


class NgramStates:
    """States 0 .. `count` - 1 of a model.

    State 0 remembers nothing, `start` that a sentence begins and nothing of it was said. A state is
    an n-gram of the model, counted from 1 through the tables of all orders, so that (state) * base
    + (word) is the key of the n-gram that is one word longer.
    """

    def __init__(self, model: NgramModel) -> None:
        sizes = [len(table.keys) for table in model.tables]
        firsts = [1, *(1 + np.cumsum(sizes)).tolist()]
        before = [0, *firsts]
        keys = np.concatenate([table.keys + first * model.base for table, first
                               in zip(model.tables, before, strict=False)])
        self.base = model.base
        self.count = firsts[model.order - 1]
        self.start = 1 + model.start if model.order > 1 else 0
        self._index = KeyIndex(keys)
        self._log_probability = np.concatenate([table.log_probability for table in model.tables])
        self._log_backoff = np.concatenate(
            [np.zeros(1, np.float32), *(table.log_backoff for table in model.tables[:-1])])
        self._suffix = np.zeros(self.count, np.int64)
        # The state after an n-gram: itself where a longer one can have it as context.
        self._after = np.arange(1, len(keys) + 1)
        for order, (first, end) in enumerate(zip(firsts, firsts[1:], strict=False), start=1):
            contexts, words = np.divmod(keys[first - 1 : end - 1], model.base)
            suffix = (self._step(self._suffix[contexts], words)[1] if order > 1
                      else np.zeros(end - first, np.int64))
            if order < model.order:
                self._suffix[first:end] = suffix
            else:
                self._after[first - 1 :] = suffix
        # The last step of those whose keys have the same place here.
        self._keys = np.full(1 << _REMEMBERED_BITS, ABSENT, np.int64)
        self._logs = np.zeros(len(self._keys))
        self._following = np.zeros(len(self._keys), np.int64)

    def step(self, states: Ids, words: Ids) -> tuple[NDArray[np.float64], Ids]:
        """Natural logs of p(word | state) and the states that follow, each of shape [n].

        The logs are to the last bit those of `NgramModel.log_probability`. Words are ids that the
        model predicts: they are not checked. A search asks the same again frame after frame, so
        the last steps are remembered.
        """
        keys = states * self.base + words
        places = hashed(keys, _REMEMBERED_BITS)
        new = (self._keys[places] != keys).nonzero()[0]
        logs, following = self._logs[places], self._following[places]
        if len(new):
            logs[new], following[new] = self._step(states[new], words[new])
            written = places[new]
            self._keys[written] = keys[new]
            self._logs[written], self._following[written] = logs[new], following[new]
        return logs, following

    def _step(self, states: Ids, words: Ids) -> tuple[NDArray[np.float64], Ids]:
        logs, following = np.zeros(len(states)), np.zeros(len(states), np.int64)
        left = np.arange(len(states))
        while len(left):
            found = self._index.find(states * self.base + words)
            hit, miss = (found != ABSENT).nonzero()[0], (found == ABSENT).nonzero()[0]
            logs[left[hit]] += self._log_probability[found[hit]]
            following[left[hit]] = self._after[found[hit]]
            left, states, words = left[miss], states[miss], words[miss]
            logs[left] += self._log_backoff[states]
            states = self._suffix[states]
        return logs, following
