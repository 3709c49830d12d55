"""Phones as hidden Markov models: states from left to right, shared by phones in like contexts.

A phone begins, holds and ends, and its neighbours colour how: three states, each of which stays or
goes on to the next (Bakis topology; Jurafsky and Martin, "Speech and Language Processing", 2nd ed.
2009, section 9.2). Silence has states of its own. Which states a phone between two others has is
what tying decides: none of the context (`Monophones`), or as much as the data bear (tying.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, Self

import numpy as np

from pipeline.hmm.gmm import Floats

SIL = "SIL"  # also what stands beside the first and the last phone of an utterance
FIRST_STAY = 0.75  # before anything is known: four frames a state


class TiedStates(Protocol):
    """Which states a phone in its context has. States are numbered from 0.

    `stay` [states] is log P(a state is followed by itself in the next frame), under 0.
    """

    @property
    def stay(self) -> Floats: ...

    def states(self, left: str, phone: str, right: str) -> tuple[int, ...]:
        """The states of `phone` between two others, in order; of SIL, the same in any context.

        Raises KeyError for an unknown phone.
        """

    def with_stay(self, stay: Floats) -> Self:
        """The same states with other probabilities."""


@dataclass(frozen=True)
class Topology:
    """How many states phones have, in the order in which they are numbered."""

    lengths: dict[str, int]

    @classmethod
    def of(cls, phones: Sequence[str], states: int = 3, silence_states: int = 3) -> Self:
        """`phones` with `states` each, before them SIL, which need not be named."""
        return cls({SIL: silence_states, **{phone: states for phone in phones if phone != SIL}})


@dataclass(frozen=True)
class Monophones:
    """Phones without regard to context, each with states of its own."""

    topology: Topology
    stay: Floats

    @classmethod
    def of(cls, topology: Topology) -> Self:
        """Before training."""
        return cls(topology, np.full(sum(topology.lengths.values()), np.log(FIRST_STAY)))

    def states(self, left: str, phone: str, right: str) -> tuple[int, ...]:
        return self._numbered[phone]

    def with_stay(self, stay: Floats) -> Self:
        return replace(self, stay=stay)

    @cached_property
    def _numbered(self) -> dict[str, tuple[int, ...]]:
        lengths = self.topology.lengths
        return {phone: tuple(range(end - length, end)) for (phone, length), end
                in zip(lengths.items(), np.cumsum([*lengths.values()]).tolist(), strict=True)}
