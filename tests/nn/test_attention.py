"""Attention against its formulas, and against padding."""

import math

import pytest
import torch

from pipeline.nn.attention import Attention, attention

KINDS = ["additive", "dot", "general"]
WIDTHS = {"additive": 4, "dot": 6, "general": 4}


@pytest.fixture
def memory(kind: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Queries [2, 3, width], states [2, 5, 6] and a mask that hides two of the second row."""
    torch.manual_seed(0)
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    return torch.randn(2, 3, WIDTHS[kind]), torch.randn(2, 5, 6), mask


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
