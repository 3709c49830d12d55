"""Each cell against torch's kernels, or against a loop over single units, and its gradients."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.nn.cells import _LAYERS, Cell, Elman, Layer, PeepholeLSTM, layer

TORCH = {"elman": nn.RNN, "lstm": nn.LSTM, "gru-torch": nn.GRU}
OURS = ("elman-sigmoid", "lstm-peephole", "gru-keep", "gru-take")


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def random_layer(cell: Cell, features: int = 3, hidden: int = 4) -> Layer:
    torch.manual_seed(3)
    found = layer(cell, features, hidden).double()
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.uniform_(-1, 1)
    return found


def random_state(found: Layer, batch: int) -> tuple[Tensor, ...]:
    return tuple(torch.rand_like(tensor) - 0.5 for tensor in found.start(batch))


@pytest.mark.parametrize("cell", ["elman", "elman-relu", "lstm", "gru-torch"])
def test_the_kernel_computes_the_equations(cell: Cell) -> None:
    torch.manual_seed(0)
    found = layer(cell, 5, 7)
    inputs = torch.randn(9, 3, 5, requires_grad=True)
    state = random_state(found, 3)
    weigh = torch.randn(9, 3, 7)
    results = []
    for run in (found.forward, found.unrolled):
        outputs, last = run(inputs, state)
        total = (outputs * weigh).sum() + sum(tensor.square().sum() for tensor in last)
        gradients = torch.autograd.grad(total, [inputs, *found.parameters()])
        results.append([outputs, *last, *gradients])
    for kernel, equations in zip(*results, strict=True):
        torch.testing.assert_close(kernel, equations, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cell", TORCH)
def test_weights_are_those_of_torchs_module(cell: Cell) -> None:
    found, theirs = layer(cell, 5, 7), TORCH[cell](5, 7)
    theirs.load_state_dict(found.state_dict())
    inputs = torch.randn(6, 2, 5)
    outputs, last = found(inputs, found.start(2))
    expected, expected_last = theirs(inputs)
    torch.testing.assert_close(outputs, expected)
    for ours, torchs in zip(last, expected_last if cell == "lstm" else [expected_last],
                            strict=True):
        torch.testing.assert_close(ours, torchs)


def gate(found: Layer, block: int, unit: int, x: NDArray, h: NDArray) -> float:
    """U x + W h + b of one unit of one block."""
    row = block * found.hidden_size + unit
    weights = {name: value.detach().numpy() for name, value in found.named_parameters()}
    return float(weights["weight_ih_l0"][row] @ x + weights["weight_hh_l0"][row] @ h
                 + weights["bias_ih_l0"][row] + weights["bias_hh_l0"][row])


def elman_sigmoid(found: Elman, x: NDArray, h: NDArray, c: NDArray) -> tuple[NDArray, NDArray]:
    return np.array([sigmoid(gate(found, 0, unit, x, h)) for unit in range(len(h))]), c


def peephole(found: PeepholeLSTM, x: NDArray, h: NDArray,
             c: NDArray) -> tuple[NDArray, NDArray]:
    to_i, to_f, to_o = found.peepholes.detach().numpy()
    new_h, new_c = np.empty_like(h), np.empty_like(c)
    for u in range(len(h)):
        i = sigmoid(gate(found, 0, u, x, h) + to_i[u] * c[u])
        f = sigmoid(gate(found, 1, u, x, h) + to_f[u] * c[u])
        new_c[u] = f * c[u] + i * math.tanh(gate(found, 2, u, x, h))
        o = sigmoid(gate(found, 3, u, x, h) + to_o[u] * new_c[u])
        new_h[u] = o * math.tanh(new_c[u])
    return new_h, new_c


def gru(found: Layer, x: NDArray, h: NDArray, c: NDArray) -> tuple[NDArray, NDArray]:
    units = range(len(h))
    r = np.array([sigmoid(gate(found, 0, u, x, h)) for u in units])
    z = np.array([sigmoid(gate(found, 1, u, x, h)) for u in units])
    n = np.array([math.tanh(gate(found, 2, u, x, r * h)) for u in units])
    return (z * h + (1 - z) * n if found.update == "keep" else (1 - z) * h + z * n), c


@pytest.mark.parametrize(("cell", "equations"), [
    ("elman-sigmoid", elman_sigmoid), ("lstm-peephole", peephole), ("gru-keep", gru),
    ("gru-take", gru)])
def test_what_torch_lacks_is_a_loop_over_units(cell: Cell, equations) -> None:
    found = random_layer(cell)
    inputs = torch.randn(5, 2, 3, dtype=torch.double)
    state = random_state(found, 2)
    with torch.no_grad():
        outputs, last = found(inputs, state)
    for row in range(2):
        h, c = state[0][0, row].numpy(), state[-1][0, row].numpy()
        for time in range(5):
            h, c = equations(found, inputs[time, row].numpy(), h, c)
            assert outputs[time, row].numpy() == pytest.approx(h, abs=1e-12)
        assert last[0][0, row].numpy() == pytest.approx(h, abs=1e-12)
        if found.states == 2:
            assert last[1][0, row].numpy() == pytest.approx(c, abs=1e-12)


@pytest.mark.parametrize("cell", OURS)
def test_gradients_are_those_of_finite_differences(cell: Cell) -> None:
    found = random_layer(cell, 2, 3)
    inputs = torch.randn(4, 2, 2, dtype=torch.double, requires_grad=True)
    state = tuple(tensor.requires_grad_() for tensor in random_state(found, 2))
    names = [name for name, _ in found.named_parameters()]

    def run(inputs: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        weights = dict(zip(names, rest[found.states:], strict=True))
        outputs, last = torch.func.functional_call(found, weights,
                                                   (inputs, rest[:found.states]))
        return outputs, *last

    assert torch.autograd.gradcheck(run, (inputs, *state, *found.parameters()))


def test_an_elman_gradient_passes_back_through_one_minus_h_squared() -> None:
    """dL/dh_{t-1} = W^T diag(1 - h_t^2) dL/dh_t, as the lecture derives it."""
    found = random_layer("elman")
    before = torch.rand(1, 1, 4, dtype=torch.double, requires_grad=True)
    outputs, _ = found(torch.randn(1, 1, 3, dtype=torch.double), (before,))
    above = torch.randn(4, dtype=torch.double)
    (gradient,) = torch.autograd.grad(outputs[0, 0] @ above, before)
    expected = found.weight_hh_l0.T @ torch.diag(1 - outputs[0, 0] ** 2) @ above
    torch.testing.assert_close(gradient[0, 0], expected)


@pytest.mark.parametrize("cell", _LAYERS)
def test_replaced_recurrent_weights_are_used(cell: Cell) -> None:
    found, other = random_layer(cell), random_layer(cell)
    with torch.no_grad():
        other.weight_hh_l0.mul_(-0.5)
    inputs = torch.randn(3, 2, 3, dtype=torch.double)
    state = random_state(found, 2)
    replaced, _ = found(inputs, state, other.weight_hh_l0)
    torch.testing.assert_close(replaced, other(inputs, state)[0])


@pytest.mark.parametrize("cell", ["lstm", "lstm-peephole"])
def test_forget_gates_open_by_one(cell: Cell) -> None:
    found = layer(cell, 3, 5)
    both = (found.bias_ih_l0 + found.bias_hh_l0).chunk(4)
    assert torch.equal(both[1], torch.ones_like(both[1]))
    assert not torch.equal(both[0], torch.ones_like(both[0]))


def test_an_lstm_can_begin_as_torchs_does() -> None:
    torch.manual_seed(2)
    found = layer("lstm-torch", 3, 5)
    torch.manual_seed(2)
    for name, value in nn.LSTM(3, 5).state_dict().items():
        assert torch.equal(found.state_dict()[name], value), name
