"""Back-propagation through time by hand: the lecture's equations of the Elman network.

    a_t = b + W h_{t-1} + U x_t,   h_t = f(a_t),   o_t = c + V h_t,   y_t = softmax(o_t)

From the loss back, every gradient below is one of the loss, which is a sum over the steps:

    grad o_t = y_t - onehot(target_t)                 (softmax and cross entropy)
    grad h_T = V' grad o_T                            (the last step)
    grad h_t = V' grad o_t + W' diag(f'(a_{t+1})) grad h_{t+1}
    grad c = sum grad o_t,             grad V = sum grad o_t h_t'
    grad b = sum diag(f'(a_t)) grad h_t
    grad W = sum diag(f'(a_t)) grad h_t h_{t-1}',     grad U = sum diag(f'(a_t)) grad h_t x_t'

The factor dh_t/dh_{t-1} = diag(f'(a_t)) W decides what a net can learn: over k steps a gradient is
multiplied with k of them, so it vanishes or explodes (Bengio et al. 1994; Pascanu et al. 2013).
Some slides print W' and the diagonal in another order; a gradient passes back as
W' diag(f'(a_t)) grad h_t. Nothing here uses autograd: tests hold one against the other.

Tensors are [time, batch, ...]. No kernel is called, so this is to be read, and to be drawn from;
`pipeline.nn.cells` trains.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.nn.cells import Activation

FUNCTIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}
# f'(a) as a function of h = f(a).
_SLOPES: dict[Activation, Callable[[Tensor], Tensor]] = {
    "tanh": lambda h: 1 - h**2, "sigmoid": lambda h: h * (1 - h), "relu": lambda h: (h > 0).to(h)}


@dataclass(frozen=True)
class Elman:
    """Weights of the net: `U` [hidden, features], `W` [hidden, hidden], `V` [outputs, hidden],
    `b` [hidden], `c` [outputs]; and the name of its activation f."""

    U: Tensor
    W: Tensor
    V: Tensor
    b: Tensor
    c: Tensor
    activation: Activation = "tanh"


@dataclass(frozen=True)
class Gradients:
    """Of the loss: by the weights in their shapes, by all states in `h` [time + 1, batch, hidden].

    `h[0]` is that of the state before the first input.
    """

    U: Tensor
    W: Tensor
    V: Tensor
    b: Tensor
    c: Tensor
    h: Tensor


def forward(net: Elman, inputs: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    """States [time + 1, batch, hidden], `start` [batch, hidden] first, and outputs o.

    `inputs` are [time, batch, features], outputs [time, batch, outputs].
    """
    function = FUNCTIONS[net.activation]
    states = [start]
    for x in inputs:
        states.append(function(net.b + states[-1] @ net.W.T + x @ net.U.T))
    stacked = torch.stack(states)
    return stacked, net.c + stacked[1:] @ net.V.T


def cross_entropy_gradient(outputs: Tensor, targets: Tensor) -> Tensor:
    """grad o of the summed cross entropy: `outputs` [..., outputs], `targets` [...] are ids."""
    y = torch.softmax(outputs, dim=-1)
    return y - torch.nn.functional.one_hot(targets, outputs.shape[-1]).to(y)


def backward(net: Elman, inputs: Tensor, states: Tensor, grad_o: Tensor) -> Gradients:
    """All gradients from `grad_o` [time, batch, outputs] and what `forward` gave.

    A step without a loss has a `grad_o` of zeros.
    """
    into_h = grad_o @ net.V
    grad_h = torch.zeros_like(states)
    grad_a = torch.zeros_like(states[1:])
    for t in range(len(inputs), 0, -1):
        grad_h[t] += into_h[t - 1]
        grad_a[t - 1] = slope(net, states[t]) * grad_h[t]
        grad_h[t - 1] = grad_a[t - 1] @ net.W
    return Gradients(
        U=_products(grad_a, inputs), W=_products(grad_a, states[:-1]),
        V=_products(grad_o, states[1:]), b=grad_a.sum(dim=(0, 1)), c=grad_o.sum(dim=(0, 1)),
        h=grad_h)


def slope(net: Elman, state: Tensor) -> Tensor:
    """f'(a) of a state h = f(a) [..., hidden]: 1 - h^2, h (1 - h), or whether h > 0."""
    return _SLOPES[net.activation](state)


def factor(net: Elman, state: Tensor) -> Tensor:
    """dh_t/dh_{t-1} = diag(f'(a_t)) W [..., hidden, hidden] at the state h_t [..., hidden].

    Row i, column j is the derivative of unit i of h_t by unit j of h_{t-1}.
    """
    return slope(net, state)[..., :, None] * net.W


def factors_product(net: Elman, states: Tensor) -> Tensor:
    """dh_T/dh_t for t = T, T-1, ..., 0 over `states` h_0 ... h_T [time + 1, ..., hidden].

    Shape [time + 1, ..., hidden, hidden]; the first is the identity.
    """
    size = states.shape[-1]
    unit = torch.eye(size, device=states.device, dtype=states.dtype)
    product = unit.expand(*states.shape[1:], size)
    products = [product]
    for state in states[1:].flip(0):
        product = product @ factor(net, state)
        products.append(product)
    return torch.stack(products)


def _products(left: Tensor, right: Tensor) -> Tensor:
    """Sum of the outer products over time and batch, [left's last, right's last]."""
    return left.flatten(0, -2).T @ right.flatten(0, -2)
