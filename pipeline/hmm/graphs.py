"""Graphs of states that an utterance may pass through: best paths and sums over all paths.

A transcript allows many chains of states: a word has several pronunciations, and silence may stand
between words or not. Such a graph has few arcs, so a step in time costs as much as it has arcs. The
graphs of many utterances laid side by side are one graph without arcs between them, and take each
step together. The recursions are those of Rabiner 1989 ("A Tutorial on Hidden Markov Models and
Selected Applications in Speech Recognition"), sections III.A to III.C, on logarithms.

B is the number of utterances, N that of nodes of all of them, A that of arcs, T the most frames.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pipeline.hmm.transitions import Scores

NOWHERE = -1
Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Graphs:
    """Graphs of B utterances; utterance b has the nodes `offsets[b]` to `offsets[b + 1]`.

    A node emits what the state `emits` [N] does, and may always emit once more: the arc to itself
    is not written out. `sources`, `targets` and `choices` [A] are the other arcs, sorted by target
    and then source, each pair once; a choice is the log-probability of going this way once the
    node is left. `initial` [N] is the log-probability of beginning there and `final` [N] of ending,
    a choice too. -inf: never.
    """

    emits: Ids
    sources: Ids
    targets: Ids
    choices: Scores
    initial: Scores
    final: Scores
    offsets: Ids

    @classmethod
    def of(cls, emits: Ids, arcs: dict[tuple[int, int], float], initial: Scores,
           final: Scores) -> Self:
        """The graph of one utterance; `arcs` are choices by (source, target)."""
        pairs = sorted(arcs, key=lambda arc: (arc[1], arc[0]))
        ends = np.array(pairs, np.int64).reshape(-1, 2)
        return cls(emits, ends[:, 0], ends[:, 1], np.array([arcs[pair] for pair in pairs], float),
                   initial, final, np.array([0, len(emits)]))

    @classmethod
    def joined(cls, graphs: Sequence["Graphs"]) -> Self:
        """Several, side by side."""
        shifts = np.cumsum([0, *(len(graph.emits) for graph in graphs)])
        sizes = np.concatenate([np.diff(graph.offsets) for graph in graphs])
        of_arcs = np.repeat(shifts[:-1], [len(graph.sources) for graph in graphs])
        return cls(np.concatenate([graph.emits for graph in graphs]),
                   np.concatenate([graph.sources for graph in graphs]) + of_arcs,
                   np.concatenate([graph.targets for graph in graphs]) + of_arcs,
                   np.concatenate([graph.choices for graph in graphs]),
                   np.concatenate([graph.initial for graph in graphs]),
                   np.concatenate([graph.final for graph in graphs]),
                   np.concatenate([[0], np.cumsum(sizes)]))

    @cached_property
    def states(self) -> tuple[Ids, Ids]:
        """The states that nodes emit, each once and in order, and the place of each node's [N]."""
        return np.unique(self.emits, return_inverse=True)

    @cached_property
    def by_target(self) -> "Ends":
        return Ends.of(np.arange(len(self.targets)), self.targets)

    @cached_property
    def by_source(self) -> "Ends":
        order = np.argsort(self.sources, kind="stable")
        return Ends.of(order, self.sources[order])

    @cached_property
    def arcs_into(self) -> Ids:
        """The arcs into each node, [N, most of a node]; NOWHERE behind the last."""
        counts = np.bincount(self.targets, minlength=len(self.emits))
        table = np.full((len(self.emits), counts.max(initial=0)), NOWHERE)
        table[np.arange(table.shape[1]) < counts[:, None]] = np.arange(len(self.targets))
        return table


@dataclass(frozen=True)
class Ends:
    """Arcs in such an `order` [A] that those with one end in common stand together.

    `nodes` are the ends that there are, and the arcs of each begin at `starts` in that order.
    """

    order: Ids
    nodes: Ids
    starts: Ids

    @classmethod
    def of(cls, order: Ids, ends: Ids) -> Self:
        return cls(order, *np.unique(ends, return_index=True))

    @cached_property
    def single(self) -> bool:
        """Whether no two arcs have this end in common, as in a chain."""
        return len(self.nodes) == len(self.order)

    def best(self, staying: Scores, ways: Scores) -> Scores:
        """The best of `staying` [N] and the `ways` [A], in this order, to each node, [N]."""
        if len(self.nodes):
            arrivals = ways if self.single else np.maximum.reduceat(ways, self.starts)
            staying[self.nodes] = np.maximum(staying[self.nodes], arrivals)
        return staying

    def total(self, staying: Scores, ways: Scores) -> Scores:
        """Like `best`, the logarithm of the sum of all.

        By exponentials of what is left of the most, which numpy has for whole vectors; its
        `logaddexp` goes number by number and takes several times as long.
        """
        if not len(self.nodes):
            return staying
        own = staying[self.nodes]
        most = np.maximum(own, ways if self.single else np.maximum.reduceat(ways, self.starts))
        most[most == -np.inf] = 0.0
        if self.single:
            parts = np.exp(ways - most)
        else:
            parts = np.add.reduceat(np.exp(ways - np.repeat(most, self._counts)), self.starts)
        with np.errstate(divide="ignore"):
            staying[self.nodes] = np.log(np.exp(own - most) + parts) + most
        return staying

    @cached_property
    def _counts(self) -> Ids:
        return np.diff(self.starts, append=len(self.order))


@dataclass(frozen=True)
class Moves:
    """Log-probabilities of staying at each node [N], of each arc [A] and of ending [N]."""

    stay: Scores
    arcs: Scores
    end: Scores

    @classmethod
    def of(cls, graphs: Graphs, stay: Scores) -> Self:
        """`stay` [states] is log P(stay in the state for another frame)."""
        staying = stay[graphs.emits]
        leaving = np.log(-np.expm1(staying))
        return cls(staying, leaving[graphs.sources] + graphs.choices, leaving + graphs.final)


@dataclass(frozen=True)
class Paths:
    """The best path of each utterance: nodes [B, T], its log-probability `scores` [B].

    `choices` [B] are what of the score the choices of arcs, beginning and end are. Nodes are
    NOWHERE behind the last frame, and everywhere where there is no path: then score and choices
    are -inf.
    """

    nodes: Ids
    scores: Scores
    choices: Scores


@dataclass(frozen=True)
class Expectations:
    """What is expected of the nodes, given the frames.

    `log_likelihoods` [B] of each utterance are in nats; -inf where there is no path, and then
    nothing is expected. `posteriors` [T, N] are P(node at t). `stays` [N] are how often each node
    is expected to be followed by itself.
    """

    log_likelihoods: Scores
    posteriors: Scores
    stays: Scores


def best_paths(graphs: Graphs, stay: Scores, emissions: Scores, frames: Ids) -> Paths:
    """Viterbi search: forced alignment of B utterances.

    `stay` [states] is log P(stay), under 0; `emissions` [T, N] is log P(frame | state of the node),
    any number behind the `frames` [B] of its utterance, at least one each. Of equally good paths
    the one that stays longest in later nodes is taken, then the one by the lower node.
    """
    moves = Moves.of(graphs, stay)
    best = _forward(graphs, moves, emissions, graphs.by_target.best)
    return _traced(graphs, moves, best, frames)


def _traced(graphs: Graphs, moves: Moves, best: Scores, frames: Ids) -> Paths:
    """Follow the best paths back; which node came before is looked up on them alone."""
    last = best[np.repeat(frames - 1, np.diff(graphs.offsets)), np.arange(len(graphs.emits))]
    last = last + moves.end
    scores = np.maximum.reduceat(last, graphs.offsets[:-1])
    nodes = np.full((len(frames), len(best)), NOWHERE, np.int64)
    node = np.array([start + int(last[start:end].argmax()) for start, end
                     in zip(graphs.offsets[:-1], graphs.offsets[1:], strict=True)])
    possible = scores > -np.inf
    choices = np.where(possible, graphs.final[node], -np.inf)
    for step in range(len(best) - 1, -1, -1):
        inside = np.flatnonzero(possible & (step < frames))
        nodes[inside, step] = node[inside]
        if step > 0:
            arcs = _arcs_taken(graphs, moves, best[step - 1], node[inside])
            inside, arcs = inside[arcs != NOWHERE], arcs[arcs != NOWHERE]
            node[inside] = graphs.sources[arcs]
            choices[inside] += graphs.choices[arcs]
    return Paths(nodes, scores, choices + np.where(possible, graphs.initial[node], 0.0))


def _arcs_taken(graphs: Graphs, moves: Moves, best: Scores, nodes: Ids) -> Ids:
    """The arc by which the best path came to each of `nodes`; NOWHERE where it stayed.

    `best` [N] is of the frame before.
    """
    arcs = graphs.arcs_into[nodes]
    arrivals = np.where(arcs == NOWHERE, -np.inf, best[graphs.sources[arcs]] + moves.arcs[arcs])
    staying = best[nodes] + moves.stay[nodes]
    ways = np.concatenate([staying[:, None], arrivals], axis=1).argmax(axis=1)
    ways_with_none = np.concatenate([np.full((len(nodes), 1), NOWHERE), arcs], axis=1)
    return ways_with_none[np.arange(len(nodes)), ways]


def expectations(graphs: Graphs, stay: Scores, emissions: Scores, frames: Ids) -> Expectations:
    """Forward-backward sums over all paths of B utterances; arguments as `best_paths` has them."""
    moves = Moves.of(graphs, stay)
    alphas = _forward(graphs, moves, emissions, graphs.by_target.total)
    betas = _betas(graphs, moves, emissions, frames)
    owners = np.repeat(np.arange(len(frames)), np.diff(graphs.offsets))
    ends = alphas[frames[owners] - 1, np.arange(len(owners))] + moves.end
    found = np.logaddexp.reduceat(ends, graphs.offsets[:-1])
    # Subtracting 0 where there is no path leaves -inf and not nan.
    total = np.where(np.isfinite(found), found, 0.0)[owners]
    inside = np.arange(len(emissions))[:, None] < frames[owners]
    posteriors = np.exp(np.where(inside, alphas + betas - total, -np.inf))
    again = alphas[:-1] + moves.stay + emissions[1:] + betas[1:] - total
    stays = np.exp(np.where(inside[1:], again, -np.inf)).sum(axis=0)
    return Expectations(found, posteriors, stays)


def _forward(graphs: Graphs, moves: Moves, emissions: Scores,
             together: Callable[[Scores, Scores], Scores]) -> Scores:
    """What comes to each node by each frame, [T, N], paths taken `together`.

    By `Ends.best` it is the best path's score, by `Ends.total` log P(emitted up to t, node).
    """
    found = np.empty_like(emissions)
    found[0] = graphs.initial + emissions[0]
    for step in range(1, len(emissions)):
        before = found[step - 1]
        arrived = together(before + moves.stay, before[graphs.sources] + moves.arcs)
        np.add(arrived, emissions[step], out=found[step])
    return found


def _betas(graphs: Graphs, moves: Moves, emissions: Scores, frames: Ids) -> Scores:
    """log P(emitted after t, end | node at t), [T, N]; of ending behind each end too."""
    betas = np.empty_like(emissions)
    betas[-1] = moves.end
    ends = graphs.by_source
    targets, weights = graphs.targets[ends.order], moves.arcs[ends.order]
    lengths = np.repeat(frames, np.diff(graphs.offsets))
    for step in range(len(emissions) - 2, -1, -1):
        behind = emissions[step + 1] + betas[step + 1]
        going_on = ends.total(behind + moves.stay, behind[targets] + weights)
        betas[step] = np.where(step + 1 < lengths, going_on, moves.end)
    return betas
