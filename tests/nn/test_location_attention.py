"""Location-aware attention, the pyramid and the speller against loops by hand, in float64."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from pipeline.nn.location_attention import LocationContexts
from pipeline.nn.nbest import n_best
from pipeline.nn.pyramid import Pyramid, side_by_side
from pipeline.nn.rnn import BidirectionalStack
from pipeline.nn.seq2seq import BeamScorer, Memory
from pipeline.nn.speller import Speller

QUERY, STATES, HIDDEN, FILTERS, REACH = 4, 6, 5, 3, 2
COUNTS = [7, 4]


@pytest.fixture(autouse=True)
def double() -> None:
    torch.manual_seed(0)


def contexts() -> LocationContexts:
    return LocationContexts(QUERY, STATES, HIDDEN, FILTERS, REACH).double()


def memory(found: LocationContexts, positions: int = 7) -> Memory:
    """Two inputs, of seven and four positions, whose padding is large numbers."""
    states = torch.randn(2, 7, STATES, dtype=torch.float64)
    mask = torch.arange(positions) < torch.tensor(COUNTS)[:, None]
    longer = torch.full((2, positions, STATES), 1e3, dtype=torch.float64)
    longer[:, :7] = states
    longer[~mask] = 1e3
    return Memory(longer, mask, torch.randn(2, 8, dtype=torch.float64), found.keys(longer))


def dot(row: Sequence[float], values: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(row, values, strict=True))


def weights_by_hand(found: LocationContexts, query: Tensor, states: Tensor,
                    last: list[float]) -> list[float]:
    """softmax_j v tanh(W q + b + V h_j + U F a_j), position by position."""
    matrices = {name: tensor.tolist() for name, tensor in found.state_dict().items()}
    scores = []
    for place, state in enumerate(states.tolist()):
        around = [last[other] if 0 <= other < len(last) else 0.0
                  for other in range(place - REACH, place + REACH + 1)]
        features = [dot(row, around) for row in matrices["filters.weight"]]
        inner = [math.tanh(dot(matrices["query.weight"][unit], query.tolist())
                           + matrices["query.bias"][unit]
                           + dot(matrices["key.weight"][unit], state)
                           + dot(matrices["place.weight"][unit], features))
                 for unit in range(HIDDEN)]
        scores.append(math.exp(dot(matrices["score.weight"][0], inner)))
    return [score / sum(scores) for score in scores]


def test_weights_follow_the_formula_from_query_to_query() -> None:
    found = contexts()
    heard = memory(found)
    queries = torch.randn(4, 3, QUERY, dtype=torch.float64)  # two hypotheses about each input
    state = tuple(tensor.repeat_interleave(2, dim=0) for tensor in found.start(heard))
    asked, weights, (carried,) = found(queries, heard, state)
    for row in range(4):
        count = COUNTS[row // 2]
        states = heard.states[row // 2, :count]
        last = [1.0] + [0.0] * (count - 1)
        for step in range(3):
            last = weights_by_hand(found, queries[row, step], states, last)
            expected = torch.tensor(last, dtype=torch.float64)
            # The softmax is computed in single precision, whatever the parameters are.
            torch.testing.assert_close(weights[row, step, :count].double(), expected,
                                       atol=1e-6, rtol=1e-5)
            torch.testing.assert_close(asked[row, step], expected @ states, atol=1e-5, rtol=1e-5)
    assert torch.equal(carried, weights[:, -1])


def test_the_last_weights_matter_and_the_padding_does_not() -> None:
    found = contexts()
    heard = memory(found)
    queries = torch.randn(2, 2, QUERY, dtype=torch.float64)
    asked, weights, _ = found(queries, heard, found.start(heard))
    assert torch.all(weights[1, :, COUNTS[1]:] == 0)
    elsewhere = torch.zeros(2, 7)
    elsewhere[:, 3] = 1.0
    assert not torch.allclose(found(queries, heard, (elsewhere,))[1], weights, atol=1e-3)
    states = torch.full((2, 11, STATES), -50.0, dtype=torch.float64)
    states[:, :7] = torch.where(heard.mask[:, :, None], heard.states, -50.0)
    longer = replace(heard, states=states, keys=found.keys(states),
                     mask=torch.arange(11) < torch.tensor(COUNTS)[:, None])
    other, more, _ = found(queries, longer, found.start(longer))
    torch.testing.assert_close(other, asked)
    torch.testing.assert_close(more[:, :, :7], weights)


def test_neighbours_stand_side_by_side_and_what_a_step_lacks_is_zero() -> None:
    steps = torch.arange(1.0, 11.0).reshape(1, 5, 2).repeat(2, 1, 1)
    found, lengths = side_by_side(steps, torch.tensor([5, 3]), 2)
    assert lengths.tolist() == [3, 2]
    assert found[0].tolist() == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 0, 0]]
    assert found[1].tolist() == [[1, 2, 3, 4], [5, 6, 0, 0], [0, 0, 0, 0]]
    assert side_by_side(steps[:, :1], torch.tensor([1, 1]), 4)[1].tolist() == [1, 1]


def test_a_pyramid_is_its_layers_one_above_the_other_whatever_is_behind_an_input() -> None:
    pyramid = Pyramid("lstm-torch", 3, 4, [2, 1, 2], dropout=0.5).double().eval()
    inputs = torch.randn(2, 9, 3, dtype=torch.float64)
    lengths = torch.tensor([9, 6])
    layers = pyramid(inputs, lengths)
    assert [steps.tolist() for _, steps in layers] == [[5, 3], [5, 3], [3, 2]]
    below = inputs[1, :6].reshape(3, 1, 6)
    for index, (layer, (states, steps)) in enumerate(zip(pyramid.layers, layers, strict=True)):
        assert isinstance(layer, BidirectionalStack)
        if index == 2:
            below = torch.cat([below, torch.zeros(1, 1, 8, dtype=torch.float64)]).reshape(2, 1, 16)
        below = layer(below, torch.tensor([len(below)]))
        torch.testing.assert_close(states[1, : int(steps[1])], below[:, 0])


@pytest.mark.parametrize("cell", ["lstm-torch", "gru-torch", "gru-keep"])
def test_a_speller_reads_letter_and_last_context_then_asks(cell) -> None:
    found = contexts()
    speller = Speller(cell, 3, QUERY, 8, found, STATES).double()
    heard = memory(found)
    embedded = torch.randn(2, 3, 3, dtype=torch.float64)
    outputs, state, weights = speller(embedded, heard, speller.start(heard))
    tensors = speller.layer.states
    own = tuple(tensor[None] for tensor in speller.first(heard))
    seen, carried = torch.zeros(2, STATES, dtype=torch.float64), found.start(heard)
    for step in range(3):
        read = torch.cat([embedded[:, step], seen], dim=-1)[None]
        _, own = speller.layer.unrolled(read, own)
        asked, looked, carried = found(own[0][0][:, None], heard, carried)
        seen = asked[:, 0]
        torch.testing.assert_close(outputs[:, step], torch.cat([own[0][0], seen], dim=-1))
        torch.testing.assert_close(weights[:, step], looked[:, 0])
    for one, other in zip(state, (*(tensor[0] for tensor in own), seen, *carried), strict=True):
        torch.testing.assert_close(one, other)
    assert len(state) == tensors + 2


def test_letter_by_letter_is_the_same_as_at_once() -> None:
    found = contexts()
    speller = Speller("lstm-torch", 3, QUERY, 8, found, STATES).double()
    heard = memory(found)
    embedded = torch.randn(2, 4, 3, dtype=torch.float64)
    together, _, _ = speller(embedded, heard, speller.start(heard))
    state, parts = speller.start(heard), []
    for letter in embedded.split(1, dim=1):
        output, state, _ = speller(letter, heard, state)
        parts.append(output)
    torch.testing.assert_close(torch.cat(parts, dim=1), together)


def scorer(log_probabilities: Tensor, beam: int, inputs: int) -> BeamScorer:
    """Letters depend on the letter before alone: `log_probabilities` [inputs, before, next]."""
    nothing = torch.zeros(inputs, 1)
    heard = Memory(nothing[:, None], torch.ones(inputs, 1, dtype=torch.bool),
                   torch.arange(inputs)[:, None])

    def step(letters: Tensor, known: Memory, state: tuple[Tensor, ...]):
        rows = known.summary[:, 0].repeat_interleave(len(letters) // len(known))
        return log_probabilities[rows, letters], state

    return BeamScorer(step, heard, (nothing,), beam)


def test_n_best_finds_all_outputs_in_their_order() -> None:
    # End 0, letters 1 and 2, start 3; the second input may have one letter less.
    table = torch.randn(2, 4, 3, dtype=torch.float64).log_softmax(dim=-1)
    found = n_best(scorer(table, 40, 2), torch.tensor([3, 2]), 40, begin=3, end=0)
    for row, longest in enumerate([3, 2]):
        texts = [[]]
        for text in texts:
            if len(text) < longest:
                texts += [[*text, 1], [*text, 2]]
        scores = {tuple(text): sum(float(table[row, before, after]) for before, after in zip(
            [3, *text], [*text, 0], strict=True)) for text in texts}
        assert [tuple(one.tokens) for one in found[row]] == sorted(scores, key=lambda text:
                                                                   -scores[text])
        for one in found[row]:
            assert one.log_probability == pytest.approx(scores[tuple(one.tokens)], rel=1e-5)


def test_a_beam_of_one_is_greedy_and_a_repetition_ends_at_the_limit() -> None:
    table = torch.full((1, 3, 2), -5.0)
    table[:, :, 1] = -0.01
    (found,) = n_best(scorer(table, 1, 1), torch.tensor([6]), 1, begin=2, end=0)
    assert [one.tokens for one in found] == [[1] * 6]
    assert found[0].log_probability == pytest.approx(-5.06, abs=1e-5)


@pytest.mark.parametrize("beam", [2, 3, 5])
def test_one_that_ends_takes_its_slot_with_it(beam: int) -> None:
    table = torch.randn(1, 4, 3, dtype=torch.float64).log_softmax(dim=-1)
    live, finished = [(0.0, [3])], []
    while live:
        grown = sorted(((score + float(table[0, text[-1], letter]), [*text, letter])
                        for score, text in live for letter in range(3)
                        if len(text) < 6 or letter == 0), reverse=True)
        kept = grown[: beam - len(finished)]
        finished += [one for one in kept if one[1][-1] == 0]
        live = [one for one in kept if one[1][-1] != 0]
    (found,) = n_best(scorer(table, beam, 1), torch.tensor([5]), beam, begin=3, end=0)
    assert [one.tokens for one in found] == [text[1:-1] for _, text in sorted(finished,
                                                                              reverse=True)]
    assert len(found) == beam
