"""Attention against its formulas, and against padding."""

import math

import pytest
import torch

from pipeline.nn.attention import Attention, AttentionPooling, attention

KINDS = ["additive", "dot", "general"]
WIDTHS = {"additive": 4, "dot": 6, "general": 4}


def states_and_mask() -> tuple[torch.Tensor, torch.Tensor]:
    """States [2, 5, 6] and a mask that hides two of the second row."""
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    return torch.randn(2, 5, 6), mask


@pytest.fixture
def memory(kind: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Queries [2, 3, width], states and a mask."""
    torch.manual_seed(0)
    return torch.randn(2, 3, WIDTHS[kind]), *states_and_mask()


def module(kind: str) -> Attention:
    torch.manual_seed(1)
    return attention(kind, query=WIDTHS[kind], memory=6, hidden=7)


def score_by_hand(kind: str, found: torch.nn.Module, query: torch.Tensor,
                  state: torch.Tensor) -> float:
    weights = {name: tensor.tolist() for name, tensor in found.state_dict().items()}
    def product(matrix: list[list[float]], vector: torch.Tensor) -> list[float]:
        return [sum(a * b for a, b in zip(row, vector.tolist(), strict=True)) for row in matrix]
    if kind == "dot":
        return sum(q * m for q, m in zip(query.tolist(), state.tolist(), strict=True))
    key = product(weights["key.weight"], state)
    if kind == "general":
        return sum(q * k for q, k in zip(query.tolist(), key, strict=True))
    mixed = product(weights["query.weight"], query)
    return sum(v * math.tanh(q + bias + k) for v, q, bias, k in zip(
        weights["score.weight"][0], mixed, weights["query.bias"], key, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_weights_and_contexts_follow_the_formula(kind, memory):
    queries, states, mask = memory
    found = module(kind)
    contexts, weights = found(queries, found.keys(states), states, mask)
    for row, count in enumerate(mask.sum(dim=1).tolist()):
        for query in range(3):
            exponentials = [math.exp(score_by_hand(kind, found, queries[row, query],
                                                   states[row, i])) for i in range(count)]
            expected = torch.tensor([e / sum(exponentials) for e in exponentials])
            torch.testing.assert_close(weights[row, query, :count], expected)
            torch.testing.assert_close(contexts[row, query], expected @ states[row, :count])


@pytest.mark.parametrize("kind", KINDS)
def test_padding_has_no_weight_and_no_influence(kind, memory):
    queries, states, mask = memory
    found = module(kind)
    contexts, weights = found(queries, found.keys(states), states, mask)
    assert torch.all(weights[1, :, 3:] == 0)
    other = states.masked_fill(~mask[:, :, None], 1e4)
    torch.testing.assert_close(found(queries, found.keys(other), other, mask)[0], contexts)


def test_a_dot_product_needs_equal_widths():
    with pytest.raises(ValueError, match="as wide as the queries"):
        attention("dot", query=4, memory=6, hidden=7)


def pooling(query: str) -> AttentionPooling:
    """W = [[1, 0], [0, 2]], b = (0, -1), learnt u_l = (1, 2)."""
    found = AttentionPooling(memory=2, hidden=2, query=query)
    values = {"key.weight": torch.tensor([[1.0, 0.0], [0.0, 2.0]]),
              "key.bias": torch.tensor([0.0, -1.0]), "query": torch.tensor([1.0, 2.0])}
    found.load_state_dict({name: values[name] for name in found.state_dict()})
    return found


# States (0, .5), (1, .5), (0, 1) have u = (0, 0), (tanh 1, 0), (0, tanh 1) with tanh 1 = 0.761594.
# Scores with u_l = (1, 2): 0, 0.761594, 1.523188, exponentials 1, 2.141687, 4.586824, sum 7.728511.
# Scores with the last u: 0, 0, 0.580026, exponentials 1, 1, 1.786085, sum 3.786085.
@pytest.mark.parametrize(("query", "by_hand", "context"), [
    ("learnt", [0.129391, 0.277115, 0.593494], [0.277115, 0.796747]),
    ("last", [0.264125, 0.264125, 0.471750], [0.264125, 0.735875])])
def test_pooling_by_hand(query, by_hand, context):
    states = torch.tensor([[[0.0, 0.5], [1.0, 0.5], [0.0, 1.0], [9.0, 9.0]]])
    mask = torch.tensor([[True, True, True, False]])
    contexts, weights = pooling(query)(states, mask)
    torch.testing.assert_close(weights, torch.tensor([[*by_hand, 0.0]]), atol=1e-6, rtol=0)
    torch.testing.assert_close(contexts, torch.tensor([context]), atol=1e-6, rtol=0)


@pytest.mark.parametrize("query", ["learnt", "last"])
def test_pooling_does_not_see_padding(query):
    torch.manual_seed(2)
    states, mask = states_and_mask()
    found = AttentionPooling(memory=6, hidden=3, query=query)
    contexts, weights = found(states, mask)
    alone, weights_alone = found(states[1:, :3], mask[1:, :3])
    torch.testing.assert_close(contexts[1:], alone)
    torch.testing.assert_close(weights[1:, :3], weights_alone)
    assert torch.all(weights[1, 3:] == 0)
