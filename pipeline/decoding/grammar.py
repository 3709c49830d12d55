"""Which word may follow which, and with what probability: a deterministic automaton over words.

A state is what the language model remembers of the words before. Back-off models are expanded
exactly: each reachable history has an arc for each word with the probability that the model gives,
so no non-emitting back-off arc lets a path take the lower order's probability where the higher
order has a smaller one of its own (Allauzen, Mohri and Roark 2003, "Generalized Algorithms for
Constructing Statistical Language Models", call the other way approximate). It costs histories times
words: 100 times 100 for a bigram over 100 words. `MOST_ARCS` is where a lower order is asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.ngram.model import ABSENT, NgramModel

MOST_ARCS = 4_000_000


@dataclass(frozen=True)
class Grammar:
    """`log_probability` [states, words] of a word in a state, and the state `following` it.

    `end` [states] is log P(the sentence ends there); -inf is what cannot be. Logarithms are
    natural; sentences begin in `start`.
    """

    following: NDArray[np.int64]
    log_probability: NDArray[np.float64]
    end: NDArray[np.float64]
    start: int = 0

    @property
    def words(self) -> int:
        return self.following.shape[1]

    @classmethod
    def uniform(cls, words: int) -> "Grammar":
        """Any of the words or the end, each with probability 1 / (words + 1), wherever."""
        each = -np.log(words + 1.0)
        return cls(np.zeros((1, words), np.int64), np.full((1, words), each), np.array([each]))

    @classmethod
    def of_ngrams(cls, model: NgramModel, ids: Sequence[int]) -> "Grammar":
        """The sentences of `model` that its words `ids` [words] can form, exactly.

        Raises UserError where that makes more than `MOST_ARCS` arcs.
        """
        memory = _Memory(model)
        numbers = {memory.of((model.start,)): 0}
        following: list[list[int]] = []
        logs, ends = [], []
        for context in (waiting := list(numbers)):
            after = [memory.of((*context, word)) for word in ids]
            for found in after:
                if found not in numbers:
                    numbers[found] = len(numbers)
                    waiting.append(found)
            if len(numbers) * len(ids) > MOST_ARCS:
                raise UserError(f"an n-gram model of order {model.order} over {len(ids)} words has "
                                f"more than {MOST_ARCS // len(ids)} histories, too many for one "
                                "network; choose a lower order")
            following.append([numbers[found] for found in after])
            distribution = model.distribution(context)
            logs.append(distribution[list(ids)])
            ends.append(distribution[model.end])
        return cls(np.array(following, np.int64), np.array(logs), np.array(ends))


class _Memory:
    """What of a history changes what the model says of the words to come."""

    def __init__(self, model: NgramModel) -> None:
        self._model = model
        self._found: dict[tuple[int, ...], tuple[int, ...]] = {}

    def of(self, history: tuple[int, ...]) -> tuple[int, ...]:
        """The longest end of a history that the model knows as the context of a longer n-gram."""
        recent = history[max(0, len(history) - self._model.order + 1):]
        if recent not in self._found:
            self._found[recent] = recent if self._counts(recent) else self.of(recent[1:])
        return self._found[recent]

    def _counts(self, context: tuple[int, ...]) -> bool:
        if not context:
            return True
        model, identity = self._model, context[0]
        for table, word in zip(model.tables[1:], context[1:], strict=False):
            identity = table.find_one(identity * model.base + word)
            if identity == ABSENT:
                return False
        longer = model.tables[len(context)].keys
        low, high = np.searchsorted(longer, [identity * model.base, (identity + 1) * model.base])
        return bool(low < high or model.tables[len(context) - 1].log_backoff[identity] != 0.0)
