"""Clipped recurrent units against their equations, written out, and with padding behind them."""

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.nn.clipped import CEILING, ClippedBidirectional, clipped_relu


def by_the_equations(layer: ClippedBidirectional, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """h [time, hidden] of one sequence x [time, features], a unit and a step at a time."""
    w, b = (tensor.detach().numpy() for tensor in (layer.inputs.weight, layer.inputs.bias))
    to_forward, to_backward = layer.recurrent.detach().numpy()

    def g(a: float) -> float:
        return min(max(0.0, a), 20.0)

    def read(steps: list[int], u: NDArray[np.float64]) -> NDArray[np.float64]:
        found, before = np.zeros((len(x), len(b))), np.zeros(len(b))
        for t in steps:
            found[t] = before = np.array([g(w[i] @ x[t] + u[i] @ before + b[i])
                                          for i in range(len(b))])
        return found

    return (read(list(range(len(x))), to_forward)
            + read(list(range(len(x)))[::-1], to_backward))


def grown(features: int = 3, hidden: int = 5) -> ClippedBidirectional:
    """A layer whose states reach the floor and the ceiling."""
    torch.manual_seed(3)
    layer = ClippedBidirectional(features, hidden).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.uniform_(-3, 3)
    return layer


def test_clipping_has_a_floor_and_a_ceiling() -> None:
    assert clipped_relu(torch.tensor([-1.0, 0.0, 3.5, 20.0, 21.0])).tolist() == [
        0.0, 0.0, 3.5, 20.0, 20.0]


def test_the_layer_computes_the_equations_within_each_length() -> None:
    layer = grown()
    lengths = [9, 1, 6]
    inputs = torch.randn(9, 3, 3, dtype=torch.float64)
    found = layer(inputs, torch.tensor(lengths)).detach().numpy()
    seen = []
    for place, length in enumerate(lengths):
        wanted = by_the_equations(layer, inputs[:length, place].numpy())
        np.testing.assert_allclose(found[:length, place], wanted, rtol=1e-12)
        seen.append(wanted)
    values = np.concatenate(seen)
    # Both ends of g were reached, and neither everywhere.
    assert (values == 0).any() and (values == CEILING).any()
    assert ((values > 0) & (values < CEILING)).any()


def test_padding_changes_neither_outputs_nor_gradients() -> None:
    layer = grown()
    inputs = torch.randn(5, 1, 3, dtype=torch.float64)
    length = torch.tensor([5])
    weigh = torch.randn(5, 1, 5, dtype=torch.float64)
    found = []
    for padding in (0.0, 1e6):
        longer = torch.cat([inputs, torch.full((4, 1, 3), padding, dtype=torch.float64)])
        outputs = layer(longer, length)[:5]
        found.append([outputs, *torch.autograd.grad((outputs * weigh).sum(),
                                                    list(layer.parameters()))])
    alone = layer(inputs, length)
    for some, other in zip(*found, strict=True):
        assert torch.equal(some, other)
    torch.testing.assert_close(found[0][0], alone)


def test_gradients_are_those_of_the_equations() -> None:
    torch.manual_seed(0)
    layer = ClippedBidirectional(2, 3).double()
    inputs = torch.randn(4, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: layer(x, torch.tensor([4, 2])), inputs)
