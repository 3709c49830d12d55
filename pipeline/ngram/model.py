"""A back-off n-gram model over word ids, stored as sorted arrays and scored without Python loops.

An n-gram is addressed from the left: its key is (id of its first n-1 words) * base + (last word),
where the id is the position of that prefix among the sorted keys of order n-1 and the base is the
number of unigrams. Keys therefore stay below 2^63 whatever the order and a table is one sorted
array (the trie of Heafield 2011, "KenLM", with arrays for nodes). One n-gram is found in it by
binary search, many at once by an index that is built when the first many are asked for.

Probabilities follow Katz's form p(w | h) = p*(w | h) where the n-gram h w is in the model, else
backoff(h) p(w | h without its first word); an interpolated model has exactly this form too
(Chen and Goodman 1999, section 2.8).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pipeline.ngram.index import ABSENT, Ids, KeyIndex

_CACHED_CONTEXTS = 1 << 16


@dataclass(frozen=True)
class Table:
    """The n-grams of one order, sorted by key.

    `log_probability` and `log_backoff` are natural logarithms, float32, one an n-gram;
    `log_backoff` is 0 for an n-gram that is no context of a longer one.
    """

    keys: Ids
    log_probability: NDArray[np.float32]
    log_backoff: NDArray[np.float32]

    def find(self, keys: Ids) -> Ids:
        """Positions of `keys` in the table, `ABSENT` where the table has no such n-gram."""
        return self._index.find(keys)

    @cached_property
    def _index(self) -> KeyIndex:
        return KeyIndex(self.keys)

    def find_one(self, key: int) -> int:
        """As `find`, for one key, without an index."""
        place = int(self.keys.searchsorted(key))
        return place if place < len(self.keys) and self.keys[place] == key else ABSENT


class NgramModel:
    """Word ids 0 .. types-1 can be predicted, `end` (the end of a sentence) among them.

    `start` (= types) is the sentence's beginning: it stands only in contexts, first. `tables[0]`
    has a row for each of the types + 1 ids in their order, so that a word is its own unigram id.
    """

    def __init__(self, types: int, end: int, tables: Sequence[Table]) -> None:
        if len(tables[0].keys) != types + 1:
            raise ValueError(f"expected {types + 1} unigrams, got {len(tables[0].keys)}")
        self.types = types
        self.end = end
        self.start = types
        self.base = types + 1
        self.tables = list(tables)
        self._context_ids = lru_cache(_CACHED_CONTEXTS)(self._find_context)

    @classmethod
    def from_arrays(cls, types: int, end: int, arrays: Mapping[str, NDArray]) -> Self:
        """Take back what `arrays` gave. Raises KeyError when an array is missing."""
        order = sum(name.startswith("keys.") for name in arrays)
        return cls(types, end, [
            Table(*(arrays[f"{column}.{n}"] for column in Table.__dataclass_fields__))
            for n in range(1, order + 1)])

    def arrays(self) -> dict[str, NDArray]:
        """All tables as named arrays, to be saved."""
        return {f"{column}.{n}": getattr(table, column)
                for n, table in enumerate(self.tables, start=1)
                for column in Table.__dataclass_fields__}

    @property
    def order(self) -> int:
        return len(self.tables)

    @property
    def size(self) -> int:
        """Number of n-grams of all orders, the sentence's beginning not counted."""
        return sum(len(table.keys) for table in self.tables) - 1

    def log_probability(self, context: Sequence[int], word: int) -> float:
        """Natural log of p(word | context) for decoders that extend one hypothesis at a time.

        The state of a hypothesis is the tuple of the ids that it ends with: begin with
        `(model.start,)`, append each word, and ask for `model.end` when the sentence ends. Only
        the last `order - 1` ids count, so `state[-(order - 1):]` may be kept instead of the whole
        (for order 1 any context will do). Contexts are cached: a call takes some 5 microseconds
        where the context was asked for lately and some 20 where it is new. Raises ValueError for
        ids outside the vocabulary.

            state = (model.start,)
            for word in sentence:
                total += model.log_probability(state, word)
                state = (*state, word)[-(model.order - 1):]
            total += model.log_probability(state, model.end)
        """
        if not 0 <= word < self.types:
            raise ValueError(f"word id {word} is outside 0 .. {self.types - 1}")
        recent = tuple(context[max(0, len(context) - self.order + 1):])
        contexts = self._context_ids(recent)
        penalty = 0.0
        for length in range(len(contexts), 0, -1):
            identity = contexts[length - 1]
            if identity == ABSENT:
                continue
            table = self.tables[length]
            place = table.find_one(identity * self.base + word)
            if place != ABSENT:
                return penalty + float(table.log_probability[place])
            penalty += float(self.tables[length - 1].log_backoff[identity])
        return penalty + float(self.tables[0].log_probability[word])

    def distribution(self, context: Sequence[int]) -> NDArray[np.float64]:
        """Natural logs of p(word | context) for all words, shape [types]."""
        recent = tuple(context[max(0, len(context) - self.order + 1):])
        logs = self.tables[0].log_probability[: self.types].astype(np.float64)
        for length, identity in enumerate(self._context_ids(recent), start=1):
            if identity == ABSENT:
                continue
            table = self.tables[length]
            low, high = np.searchsorted(
                table.keys, [identity * self.base, (identity + 1) * self.base])
            logs += float(self.tables[length - 1].log_backoff[identity])
            logs[table.keys[low:high] - identity * self.base] = table.log_probability[low:high]
        return logs

    def score(self, tokens: NDArray[np.integer]) -> NDArray[np.float64]:
        """Natural log-probability of each token of sentences laid end to end, shape [tokens].

        Each sentence closes with `end` and begins with no memory of the one before it. Raises
        ValueError when the last sentence is open or an id is outside the vocabulary.
        """
        stream, predicted = with_starts(tokens, self.types, self.end)
        logs = self.tables[0].log_probability[stream].astype(np.float64)
        # Where an n-gram of the order before ends, and which: what follows it has it as context.
        ends, ids = np.arange(len(stream)), stream
        for table, shorter in zip(self.tables[1:], self.tables, strict=False):
            if len(ends) and ends[-1] == len(stream) - 1:
                ends, ids = ends[:-1], ids[:-1]
            ends = ends + 1
            logs[ends] += shorter.log_backoff[ids]
            found = table.find(ids * self.base + stream[ends])
            seen = np.flatnonzero(found != ABSENT)
            ends, ids = ends[seen], found[seen]
            logs[ends] = table.log_probability[ids]
        return logs[predicted]

    def _find_context(self, context: tuple[int, ...]) -> tuple[int, ...]:
        """Ids of the context's last 1, 2, ... words as n-grams, `ABSENT` where unseen."""
        return tuple(self._find_ngram(context[-length:]) for length in range(1, len(context) + 1))

    def _find_ngram(self, words: tuple[int, ...]) -> int:
        if any(not 0 <= word <= self.types for word in words):
            raise ValueError(f"context {words} has an id outside 0 .. {self.types}")
        identity = words[0]
        for table, word in zip(self.tables[1:], words[1:], strict=False):
            identity = table.find_one(identity * self.base + word)
            if identity == ABSENT:
                break
        return identity


def with_starts(tokens: NDArray[np.integer], types: int,
                end: int) -> tuple[Ids, NDArray[np.bool_]]:
    """Put the start id (= types) before each sentence.

    Returns the longer stream and a mask over it that is False at the starts. Raises ValueError
    when the tokens do not close with `end` or leave 0 .. types-1.
    """
    if len(tokens) == 0 or tokens[-1] != end:
        raise ValueError(f"the last sentence is not closed by its end, word id {end}")
    if tokens.min() < 0 or tokens.max() >= types:
        raise ValueError(f"a word id is outside 0 .. {types - 1}")
    ends = np.flatnonzero(tokens == end)
    begins = np.concatenate([[0], ends[:-1] + 1])
    stream = np.insert(tokens.astype(np.int64), begins, types)
    return stream, stream != types


def shifted(ids: Ids) -> Ids:
    """The id at the position before, `ABSENT` at the first."""
    return np.concatenate([[ABSENT], ids[:-1]])
