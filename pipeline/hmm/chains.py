"""Chains of states passed from first to last: sums over all paths, and best paths, many at once.

A model from left to right that leaves no state out (Rabiner 1989, "A Tutorial on Hidden Markov
Models and Selected Applications in Speech Recognition", section IV; Bakis) begins in its first
state and ends in its last. So every path leaves each state once, and how likely it stays in one can
stand beside the frames that it spends there: with e_t(j) = P(frame t | state j) P(stay in j) a
recursion is

    a_t(j) = e_t(j) (a_{t-1}(j) + a_{t-1}(j - 1)),

times the product over states of P(leave) / P(stay), the same for all paths. That is a sum and a
product a frame. Sequences of different lengths lie side by side, the longest first, so that those
that go on are always the first columns of a step.

Rabiner divides the a_t of each frame by their sum, lest they become too small (section V.A). Here
whoever calls divides the e_t of each frame by the largest of them, which takes nothing from a step;
a sequence's probability tells whether that was enough (`trustworthy`), and one for which it was not
is summed as logarithms.

B is the number of sequences, T the most frames of one, F that of all, S the states of a chain.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.hmm.gmm import Floats, Ids

LEAST = 1e-250  # a sequence's probability, below which its sum may have lost paths
MOST_PATHS = 1e50


@dataclass(frozen=True)
class Steps:
    """Frames of B sequences step by step: first the first of each sequence, then the second, ...

    `order` [B] are the sequences, the longest first. Step t has the first `counts[t]` of them, in
    the columns from `starts[t]` on; `places` [F] says where each column's frame stands when the
    sequences lie end to end.
    """

    order: Ids
    counts: Ids
    starts: Ids
    places: Ids

    @classmethod
    def of(cls, offsets: Ids) -> Self:
        """Of sequences that lie end to end, cut at `offsets` [B + 1]; none is empty."""
        lengths = np.diff(offsets)
        order = np.argsort(-lengths, kind="stable")
        inside = np.arange(lengths.max(initial=0))[:, None] < lengths[order]
        counts = inside.sum(axis=1)
        steps, columns = np.nonzero(inside)
        return cls(order, counts, np.concatenate([[0], np.cumsum(counts)]),
                   offsets[order][columns] + steps)

    @cached_property
    def columns(self) -> Ids:
        """The column of each frame of the sequences as they lie end to end, [F]."""
        found = np.empty_like(self.places)
        found[self.places] = np.arange(len(found))
        return found

    def cuts(self) -> list[tuple[int, slice]]:
        """Of each step how many sequences it has, and its columns."""
        starts = self.starts.tolist()
        return [(count, slice(start, start + count))
                for count, start in zip(self.counts.tolist(), starts, strict=False)]


@dataclass(frozen=True)
class Arithmetic:
    """How ways to a state are joined, how one goes on, and what no way and the start count."""

    join: Callable[..., Any]
    follow: Callable[..., Any]
    none: float
    one: float


SUMS = Arithmetic(np.add, np.multiply, 0.0, 1.0)
LOGARITHMS = Arithmetic(np.logaddexp, np.add, -np.inf, 0.0)
BEST = Arithmetic(np.maximum, np.add, -np.inf, 0.0)


def forward(steps: Steps, emitted: Floats, by: Arithmetic) -> tuple[Floats, Floats]:
    """What leads to each state before it emits, [S, F], and to the end of each sequence, [B].

    `emitted` [S, F] is e_t(j), or its logarithm as `by` reckons; sequences are in the steps' order.
    """
    arrivals = np.empty_like(emitted)
    # Row 0 is no state: what comes from before the first.
    here = np.full((len(emitted) + 1, len(steps.order)), by.none)
    here[0] = by.one
    for number, (count, own) in enumerate(steps.cuts()):
        by.join(here[1:, :count], here[:-1, :count], out=arrivals[:, own])
        by.follow(arrivals[:, own], emitted[:, own], out=here[1:, :count])
        if number == 0:
            here[0] = by.none
    return arrivals, here[-1]


def backward(steps: Steps, emitted: Floats, last: Floats, by: Arithmetic) -> Floats:
    """What leads from each state, after it has emitted, to the end, [S, F].

    `last` [B] is what the end of each sequence, in the steps' order, counts.
    """
    departures = np.empty_like(emitted)
    # The last row is no state: what comes behind the last.
    here = np.full((len(emitted) + 1, len(steps.order)), by.none)
    here[-1] = last
    ended = 0
    for count, own in reversed(steps.cuts()):
        by.join(here[:-1, :count], here[1:, :count], out=departures[:, own])
        by.follow(departures[:, own], emitted[:, own], out=here[:-1, :count])
        here[-1, ended:count] = by.none
        ended = count
    return departures


def trustworthy(probabilities: Floats, lengths: Ids, states: int) -> NDArray[np.bool_]:
    """Which sequences' sums [B] are those of their paths, when no e_t(j) is over 1.

    A number under 5e-324 becomes 0, so each of the T S cells may have lost as much, which at most
    all paths lead from. Where these are fewer than MOST_PATHS and their sum is over LEAST, that is
    less than 1e-17 of it, for up to a million cells.
    """
    paths = (states - 1) * np.log(np.maximum(lengths, 1))
    return (probabilities > LEAST) & (paths < np.log(MOST_PATHS))


def best_states(steps: Steps, emitted: Floats) -> tuple[Ids, Floats]:
    """The state of each column on its sequence's best path, [F], and the paths' scores, [B].

    `emitted` are logarithms. Of equally good paths the one that stays longest in later states is
    taken. Each sequence has at least as many frames as states.
    """
    arrivals, scores = forward(steps, emitted, BEST)
    alphas = arrivals + emitted
    entered = np.zeros(emitted.shape, bool)
    states = np.empty(emitted.shape[1], np.int64)
    here = np.full(len(steps.order), len(emitted) - 1)
    cuts = steps.cuts()
    for (_, before), (count, own) in zip(cuts[:-1], cuts[1:], strict=True):
        earlier = alphas[:, before][:, :count]
        np.greater(earlier[:-1], earlier[1:], out=entered[1:, own])
    flat, width = entered.ravel(), emitted.shape[1]
    for count, own in reversed(cuts):
        states[own] = here[:count]
        here[:count] -= flat[here[:count] * width + np.arange(own.start, own.stop)]
    return states, scores
