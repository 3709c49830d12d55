"""Back-propagation through time by hand: against autograd, central differences, and small sums."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from pipeline.nn import bptt
from pipeline.nn.cells import Activation, layer

ACTIVATIONS: list[Activation] = ["tanh", "sigmoid", "relu"]
CELLS = {"tanh": "elman", "sigmoid": "elman-sigmoid", "relu": "elman-relu"}
TIME, BATCH, FEATURES, HIDDEN, OUTPUTS = 7, 3, 4, 5, 6
WEIGHTS = ("U", "W", "V", "b", "c")


def random_net(activation: Activation, seed: int = 1) -> bptt.Elman:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.double) * 0.6

    return bptt.Elman(draw(HIDDEN, FEATURES), draw(HIDDEN, HIDDEN), draw(OUTPUTS, HIDDEN),
                      draw(HIDDEN), draw(OUTPUTS), activation)


def data() -> tuple[Tensor, Tensor, Tensor]:
    """Inputs, start state and targets."""
    generator = torch.Generator().manual_seed(2)
    return (torch.randn(TIME, BATCH, FEATURES, generator=generator, dtype=torch.double),
            torch.rand(BATCH, HIDDEN, generator=generator, dtype=torch.double),
            torch.randint(OUTPUTS, (TIME, BATCH), generator=generator))


def loss_by_torch(net: bptt.Elman, inputs: Tensor, start: Tensor, targets: Tensor,
                  states: list[Tensor] | None = None) -> Tensor:
    """The summed cross entropy from torch's own functions; `states` collects h_1 ... h_T."""
    function = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}[net.activation]
    total, h = torch.zeros(()).double(), start
    for x, target in zip(inputs, targets, strict=True):
        h = function(functional.linear(x, net.U, net.b) + functional.linear(h, net.W))
        if states is not None:
            states.append(h)
        total = total + functional.cross_entropy(functional.linear(h, net.V, net.c), target,
                                                 reduction="sum")
    return total


def by_hand(net: bptt.Elman) -> bptt.Gradients:
    inputs, start, targets = data()
    states, outputs = bptt.forward(net, inputs, start)
    return bptt.backward(net, inputs, states, bptt.cross_entropy_gradient(outputs, targets))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_gradient_is_that_of_autograd(activation: Activation) -> None:
    net = random_net(activation)
    found = by_hand(net)
    inputs, start, targets = data()
    start.requires_grad_()
    tracked = replace(net, **{name: getattr(net, name).clone().requires_grad_()
                              for name in WEIGHTS})
    states: list[Tensor] = []
    loss = loss_by_torch(tracked, inputs, start, targets, states)
    weights = torch.autograd.grad(loss, [getattr(tracked, name) for name in WEIGHTS],
                                  retain_graph=True)
    for name, expected in zip(WEIGHTS, weights, strict=True):
        torch.testing.assert_close(getattr(found, name), expected, atol=1e-10, rtol=0)
    by_state = torch.stack(torch.autograd.grad(loss, [start, *states]))
    torch.testing.assert_close(found.h, by_state, atol=1e-10, rtol=0)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", WEIGHTS)
def test_every_gradient_is_that_of_central_differences(activation: Activation, name: str) -> None:
    net, step = random_net(activation), 1e-6
    inputs, start, targets = data()
    found = getattr(by_hand(net), name)
    for place in range(found.numel()):
        moved = []
        for sign in (1, -1):
            weight = getattr(net, name).clone()
            weight.view(-1)[place] += sign * step
            moved.append(loss_by_torch(replace(net, **{name: weight}), inputs, start, targets))
        difference = float(moved[0] - moved[1]) / (2 * step)
        assert float(found.view(-1)[place]) == pytest.approx(difference, abs=1e-7)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_states_are_those_of_the_layer_that_trains(activation: Activation) -> None:
    torch.manual_seed(1)
    trained = layer(CELLS[activation], FEATURES, HIDDEN).double()
    net = replace(random_net(activation), U=trained.weight_ih_l0, W=trained.weight_hh_l0,
                  b=trained.bias_ih_l0 + trained.bias_hh_l0)
    inputs, start, _ = data()
    states, outputs = bptt.forward(net, inputs, start)
    expected, _ = trained(inputs, (start[None],))
    torch.testing.assert_close(states[1:], expected)
    torch.testing.assert_close(states[0], start)
    torch.testing.assert_close(outputs[3, 2], net.c + net.V @ expected[3, 2])


def test_grad_o_by_hand() -> None:
    # softmax of (0, log 3) is (1/4, 3/4).
    outputs = torch.tensor([[0.0, 3.0]]).double()
    outputs[0, 1] = torch.log(outputs[0, 1])
    found = bptt.cross_entropy_gradient(outputs, torch.tensor([1]))
    torch.testing.assert_close(found, torch.tensor([[0.25, -0.25]]).double())


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_factor_is_the_jacobian_of_a_step(activation: Activation) -> None:
    net = random_net(activation)
    inputs, start, _ = data()

    def step(h: Tensor) -> Tensor:
        return bptt.forward(net, inputs[:1, :1], h[None])[0][1, 0]

    states, _ = bptt.forward(net, inputs[:1], start)
    expected = torch.autograd.functional.jacobian(step, start[0])
    factor = bptt.factor(net, states[1])
    torch.testing.assert_close(factor[0], expected, atol=1e-10, rtol=0)
    above = torch.arange(HIDDEN).double()
    # A gradient passes back as W' diag(f') g; the other order would be diag(f') W' g.
    slopes = torch.diag(bptt.slope(net, states[1, 0]))
    torch.testing.assert_close(factor[0].T @ above, net.W.T @ slopes @ above)
    assert not torch.allclose(factor[0].T @ above, slopes @ net.W.T @ above)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_product_of_factors_reaches_back_to_the_start(activation: Activation) -> None:
    net = random_net(activation)
    inputs, start, _ = data()

    def last(h: Tensor) -> Tensor:
        return bptt.forward(net, inputs[:, :1], h[None])[0][-1, 0]

    products = bptt.factors_product(net, bptt.forward(net, inputs, start)[0])
    assert products.shape == (TIME + 1, BATCH, HIDDEN, HIDDEN)
    torch.testing.assert_close(products[0, 1], torch.eye(HIDDEN).double())
    torch.testing.assert_close(products[-1, 0],
                               torch.autograd.functional.jacobian(last, start[0]),
                               atol=1e-10, rtol=0)


@pytest.mark.parametrize(("activation", "state", "expected"), [
    ("tanh", [-0.5, 0.0, 1.0], [0.75, 1.0, 0.0]),
    ("sigmoid", [0.0, 0.5, 0.9], [0.0, 0.25, 0.09]),
    ("relu", [0.0, 0.1, 7.0], [0.0, 1.0, 1.0])])
def test_slopes_by_hand(activation: Activation, state: list[float],
                        expected: list[float]) -> None:
    net = replace(random_net("tanh"), activation=activation)
    torch.testing.assert_close(bptt.slope(net, torch.tensor(state)), torch.tensor(expected))
