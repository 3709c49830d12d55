"""Graphs of states against every path, written out, and against the models that are chains."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.hmm.alignment import align
from pipeline.hmm.forward_backward import forward_backward
from pipeline.hmm.graphs import NOWHERE, Graphs, best_paths, expectations
from pipeline.hmm.transitions import LeftToRight

STATES = 3


def some_graph(random: np.random.Generator, nodes: int) -> Graphs:
    arcs = {(a, b): float(random.normal()) for a in range(nodes) for b in range(nodes)
            if a != b and random.random() < 0.5}
    initial, final = random.normal(size=(2, nodes))
    initial[random.random(nodes) < 0.4] = -np.inf
    final[random.random(nodes) < 0.4] = -np.inf
    return Graphs.of(random.integers(0, STATES, nodes), arcs, initial, final)


def every_path(graph: Graphs, stay: np.ndarray, emissions: np.ndarray) -> dict[tuple, float]:
    """The score of each path that a graph has, by the definition."""
    stays, leaves = stay[graph.emits], np.log(1 - np.exp(stay[graph.emits]))
    moves = {(node, node): stays[node] for node in range(len(stays))}
    for a, b, choice in zip(graph.sources, graph.targets, graph.choices, strict=True):
        moves[a, b] = leaves[a] + choice
    found = {}
    for path in product(range(len(stays)), repeat=len(emissions)):
        score = graph.initial[path[0]] + leaves[path[-1]] + graph.final[path[-1]]
        score += sum(moves.get(pair, -np.inf) for pair in pairwise(path))
        score += sum(emissions[step, node] for step, node in enumerate(path))
        if score > -np.inf:
            found[path] = float(score)
    return found


@settings(max_examples=60)
@given(sizes=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 5)), min_size=1, max_size=4),
       seed=st.integers(0, 10_000))
def test_paths_and_sums_are_those_of_every_path(sizes: list[tuple[int, int]], seed: int) -> None:
    random = np.random.default_rng(seed)
    parts = [some_graph(random, nodes) for nodes, _ in sizes]
    frames = np.array([length for _, length in sizes])
    stay = np.log(random.uniform(0.1, 0.9, STATES))
    graphs = Graphs.joined(parts)
    emissions = random.normal(0, 2, (frames.max(), len(graphs.emits)))
    best = best_paths(graphs, stay, emissions, frames)
    sums = expectations(graphs, stay, emissions, frames)
    for row, part in enumerate(parts):
        start, end = graphs.offsets[row : row + 2]
        length = frames[row]
        every = every_path(part, stay, emissions[:length, start:end])
        answer = best.nodes[row, :length]
        assert (best.nodes[row, length:] == NOWHERE).all()
        assert not sums.posteriors[length:, start:end].any()
        if not every:
            assert set(answer.tolist()) == {NOWHERE}
            assert best.scores[row] == sums.log_likelihoods[row] == -np.inf
            assert not sums.posteriors[:, start:end].any() and not sums.stays[start:end].any()
            continue
        chosen = tuple((answer - start).tolist())
        assert every[chosen] == pytest.approx(max(every.values()))
        assert best.scores[row] == pytest.approx(every[chosen])
        assert best.choices[row] == pytest.approx(choices_of(part, chosen))
        total = sum(map(np.exp, every.values()))
        posteriors, stays = np.zeros((length, end - start)), np.zeros(end - start)
        for path, score in every.items():
            for step, node in enumerate(path):
                posteriors[step, node] += np.exp(score) / total
            for a, b in pairwise(path):
                stays[a] += (a == b) * np.exp(score) / total
        assert sums.log_likelihoods[row] == pytest.approx(np.log(total))
        np.testing.assert_allclose(sums.posteriors[:length, start:end], posteriors, atol=1e-9)
        np.testing.assert_allclose(sums.stays[start:end], stays, atol=1e-9)


def choices_of(graph: Graphs, path: tuple[int, ...]) -> float:
    arcs = {(a, b): choice for a, b, choice
            in zip(graph.sources, graph.targets, graph.choices, strict=True)}
    return (graph.initial[path[0]] + graph.final[path[-1]]
            + sum(arcs[pair] for pair in pairwise(path) if pair[0] != pair[1]))


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), states=st.integers(1, 6), length=st.integers(6, 12))
def test_a_chain_is_the_model_from_left_to_right(seed: int, states: int, length: int) -> None:
    random = np.random.default_rng(seed)
    stay = np.log(random.uniform(0.1, 0.9, states))
    leave = np.log1p(-np.exp(stay))
    ends = np.full((2, states), -np.inf)
    ends[0, 0] = ends[1, -1] = 0.0
    chain = Graphs.of(np.arange(states), {pair: 0.0 for pair in pairwise(range(states))}, *ends)
    emissions = random.normal(0, 3, (length, states))
    frames = np.array([length])
    transitions = LeftToRight(np.stack([stay, leave], axis=1))
    paths, scores = align(emissions[None], transitions, frames, np.array([states]))
    best = best_paths(chain, stay, emissions, frames)
    assert best.nodes.tolist() == paths.tolist()
    assert best.scores == pytest.approx(scores + leave[-1])
    sums = expectations(chain, stay, emissions, frames)
    peer = forward_backward(ends[0], transitions, emissions[None], frames, ends[1])
    assert sums.log_likelihoods == pytest.approx(peer.log_likelihoods + leave[-1])
    np.testing.assert_allclose(sums.posteriors, peer.posteriors[0], atol=1e-9)
    np.testing.assert_allclose(sums.stays, peer.transitions[0, :, 0], atol=1e-9)


def test_an_utterance_answers_alone_as_in_company() -> None:
    random = np.random.default_rng(8)
    parts = [some_graph(random, 4) for _ in range(5)]
    frames = np.array([7, 3, 9, 1, 4])
    graphs = Graphs.joined(parts)
    stay = np.log([0.5, 0.6, 0.9])
    emissions = random.normal(0, 2, (9, 20))
    together = best_paths(graphs, stay, emissions, frames)
    sums = expectations(graphs, stay, emissions, frames)
    for row, part in enumerate(parts):
        own = slice(4 * row, 4 * row + 4)
        alone = best_paths(part, stay, emissions[: frames[row], own], frames[row : row + 1])
        assert alone.scores[0] == together.scores[row]
        np.testing.assert_array_equal(alone.nodes[0] + 4 * row * (alone.nodes[0] != NOWHERE),
                                      together.nodes[row, : frames[row]])
        single = expectations(part, stay, emissions[: frames[row], own], frames[row : row + 1])
        np.testing.assert_array_equal(single.posteriors, sums.posteriors[: frames[row], own])


def test_of_equal_paths_the_one_that_stays_in_later_nodes_is_taken() -> None:
    # Two ways from the first node to the last, over node 1 or 2, and all alike.
    graph = Graphs.of(np.zeros(4, np.int64), {(0, 1): 0.0, (0, 2): 0.0, (1, 3): 0.0, (2, 3): 0.0},
                      np.array([0.0, -np.inf, -np.inf, -np.inf]),
                      np.array([-np.inf, -np.inf, -np.inf, 0.0]))
    best = best_paths(graph, np.log([0.5]), np.zeros((5, 4)), np.array([5]))
    assert best.nodes[0].tolist() == [0, 1, 3, 3, 3]
    assert best.scores[0] == pytest.approx(5 * np.log(0.5))
