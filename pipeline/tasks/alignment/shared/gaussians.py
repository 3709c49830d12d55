"""Mixtures of Gaussians in hidden Markov models of phones, trained from phone sequences alone.

Monophones of three states from left to right, from a flat start, by Viterbi training with growing
mixtures (Young et al., "The HTK Book", chapter 8; Rabiner 1989). Which phones were said is known
and their order, when is not: each round aligns the data with the model of the moment, which is the
lecture's re-estimation with Gaussians in the network's place. An answer is the best path through
the states of what was said, or of any phones one after the other.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipeline.entries import Entry
from pipeline.errors import UserError
from pipeline.hmm.gmm import Floats, Ids
from pipeline.hmm.graphs import Graphs
from pipeline.hmm.phones import SIL, Monophones, Topology
from pipeline.hmm.training import Pass, Schedule, flat_start, train
from pipeline.hmm.utterances import AcousticModel, align
from pipeline.hmm.utterances import Utterances as Aligned
from pipeline.tasks.alignment.shared.batching import Utterances
from pipeline.tasks.alignment.shared.cepstra import cepstra
from pipeline.tasks.alignment.shared.searches import Found

DEFAULT_COEFFICIENTS = 13
VARIANCE_SHARE = 0.01
_STATES = 3


class Growth(Entry):
    """Passes of Viterbi training in which mixtures grow until three quarters of them are done."""

    passes: int = Field(ge=1, le=100)
    gaussians: int = Field(ge=1, description="of all states together")

    def schedule(self) -> Schedule:
        """Paths are found anew in every pass: the data are small, and the paths are the answer."""
        return Schedule(self.passes, self.gaussians, max(1, self.passes * 3 // 4),
                        frozenset(range(1, self.passes + 1)), variance_share=VARIANCE_SHARE)


DEFAULT_GROWTH = Growth(passes=16, gaussians=400)


@dataclass(frozen=True)
class GaussianAligner:
    """A model of the phones `labels`, which hears `coefficients` of an utterance."""

    model: AcousticModel
    labels: list[str]
    coefficients: int

    @classmethod
    def trained(cls, utterances: Utterances, labels: list[str], coefficients: int, growth: Growth,
                tell: Callable[["GaussianAligner", Pass], None] = lambda *_: None) -> Self:
        """Trained on all utterances that have as many frames as their phones have states.

        `tell` is told of the model after each pass, and what the pass found of the one before.
        Raises UserError where that is none.
        """
        tied = Monophones.of(topology(labels))
        heard = _heard(utterances, labels, tied, coefficients)
        try:
            found = cls(flat_start(heard, tied, VARIANCE_SHARE), labels, coefficients)
            for model, report in train(found.model, heard, growth.schedule()):
                found = replace(found, model=model)
                tell(found, report)
        except ValueError as error:
            raise UserError(f"no acoustic model can be trained: {error}; phones and recordings of "
                            "the training subsets do not fit together") from None
        return found

    def loss_of(self, utterances: Utterances) -> float:
        """-log p(frame, path) in nats a frame of what was said.

        Raises UserError where no utterance has a path.
        """
        heard = _heard(utterances, self.labels, self._tied, self.coefficients)
        scores = align(self.model, heard).scores
        found = scores > -np.inf
        if not found.any():
            raise UserError("no validation utterance has as many frames as its phones have "
                            "states; choose another validation subset")
        return float(-scores[found].sum() / utterances.lengths[found].sum())

    def constrained(self, frames: NDArray[np.floating], symbols: Ids) -> Ids:
        """The first frame of each of `symbols` on the best path through frames [T, mels].

        Where they have more states than there are frames, all have equal shares.
        """
        found = self._path(frames, _chain(symbols, self._tied)) if len(symbols) else None
        if found is None:
            return np.arange(len(symbols)) * len(frames) // max(1, len(symbols))
        return np.flatnonzero(np.diff(found // _STATES, prepend=-1))

    def free(self, frames: NDArray[np.floating]) -> Found:
        """The best path of any phones one after the other; too short for one, it is silence."""
        path = self._path(frames, self._loop)
        if path is None:
            return Found(np.zeros(1, np.int64), np.zeros(1, np.int64))
        # A phone that follows itself begins where its first state follows its last.
        back = np.diff(path % _STATES, prepend=_STATES) < 0
        starts = np.flatnonzero(np.diff(path // _STATES, prepend=-1).astype(bool) | back)
        return Found(path[starts] // _STATES, starts)

    def _path(self, frames: NDArray[np.floating], graph: Graphs) -> Ids | None:
        """The node of each frame on the best path, None where there is none."""
        heard = Aligned(cepstra(frames, self.coefficients), np.array([0, len(frames)]), [graph])
        found = align(self.model, heard)
        return found.nodes if found.scores[0] > -np.inf else None

    @property
    def _tied(self) -> Monophones:
        assert isinstance(self.model.tied, Monophones)
        return self.model.tied

    @cached_property
    def _loop(self) -> Graphs:
        """Phones in the order of `labels`, each of which any may follow."""
        count = len(self.labels)
        choice = float(-np.log(count))
        firsts = np.arange(count) * _STATES
        arcs = {(node, node + 1): 0.0 for node in range(count * _STATES)
                if node % _STATES < _STATES - 1}
        arcs |= {(int(last), int(first)): choice for last in firsts + _STATES - 1
                 for first in firsts}
        initial, final = np.full((2, count * _STATES), -np.inf)
        initial[firsts], final[firsts + _STATES - 1] = choice, 0.0
        emits = np.concatenate([self._tied.states(SIL, label, SIL) for label in self.labels])
        return Graphs.of(emits.astype(np.int64), arcs, initial, final)


def topology(labels: Sequence[str]) -> Topology:
    """Three states for each phone, silence among them."""
    return Topology.of(labels, _STATES, _STATES)


def _heard(utterances: Utterances, labels: Sequence[str], tied: Monophones,
           coefficients: int) -> Aligned:
    """The cepstra of a split, with the states of what was said."""
    def frames() -> Iterator[Floats]:
        for one in utterances.frames:
            yield cepstra(one, coefficients)

    return Aligned(np.concatenate(list(frames())), np.asarray(utterances.frames.offsets, np.int64),
                   [_chain(symbols, tied) for symbols in utterances.symbols])


def _chain(symbols: Ids, tied: Monophones) -> Graphs:
    """The states of phones one after the other: nobody else was heard."""
    labels = list(tied.topology.lengths)
    emits = np.concatenate([tied.states(SIL, labels[symbol], SIL) for symbol in symbols.tolist()])
    initial, final = np.full((2, len(emits)), -np.inf)
    initial[0] = final[-1] = 0.0
    arcs = {(node, node + 1): 0.0 for node in range(len(emits) - 1)}
    return Graphs.of(emits.astype(np.int64), arcs, initial, final)
