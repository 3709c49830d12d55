"""The lecture's pictures of stability, computed on nets of one unit.

With one unit, h_t = f(w h_{t-1} + x_t + b), the recurrent weight w is the only eigenvalue, so what
becomes of an impulse, and how steep a loss is in w and b, can be drawn whole.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor

from pipeline.nn import bptt
from pipeline.nn.cells import Activation

Floats = NDArray[np.float64]


def unit(weight: float, bias: float, activation: Activation) -> bptt.Elman:
    """A net of one unit that reads one number and shows its state."""
    one = torch.ones(1, 1, dtype=torch.float64)
    return bptt.Elman(U=one, W=weight * one, V=one, b=bias * one[0], c=0 * one[0],
                      activation=activation)


def impulse_left(weight: float, activation: Activation, steps: int) -> Floats:
    """|h_t - h'_t| for t = 1 ... steps: h had an impulse of 1 at t = 1, h' had none."""
    inputs = torch.zeros(steps, 2, 1, dtype=torch.float64)
    inputs[0, 0] = 1
    states, _ = bptt.forward(unit(weight, 0.0, activation), inputs, torch.zeros_like(inputs[0]))
    return (states[1:, 0] - states[1:, 1]).abs()[:, 0].numpy()


@dataclass(frozen=True)
class Cliff:
    """Pascanu et al. 2013, figure 6: a sigmoid unit is to be at `target` after `steps` steps.

    The loss (h - target)^2 as a function of w and b has a wall where the unit's fixed points
    change, and the gradient at the wall is huge.
    """

    steps: int = 50
    target: float = 0.7
    start: float = float(expit(0.5))

    def loss(self, weight: Floats, bias: Floats) -> Floats:
        """At each w and b; shapes broadcast."""
        state = np.full(np.broadcast_shapes(weight.shape, bias.shape), self.start)
        for _ in range(self.steps):
            state = expit(weight * state + bias)
        return (state - self.target) ** 2

    def gradient(self, weight: float, bias: float) -> tuple[float, float]:
        """Of the loss by w and b, by back-propagation through time."""
        net = unit(weight, bias, "sigmoid")
        inputs = torch.zeros(self.steps, 1, 1, dtype=torch.float64)
        states, outputs = bptt.forward(net, inputs, torch.full_like(inputs[0], self.start))
        grad_o = torch.zeros_like(outputs)
        grad_o[-1] = 2 * (outputs[-1] - self.target)
        found = bptt.backward(net, inputs, states, grad_o)
        return float(found.W), float(found.b)

    def descent(self, point: tuple[float, float], rate: float, clip: float, updates: int) -> Floats:
        """Points (w, b) of gradient descent from `point`, [updates + 1, 2].

        A gradient longer than `clip` is scaled to that length.
        """
        path = [np.array(point)]
        for _ in range(updates):
            gradient = np.array(self.gradient(*path[-1]))
            longest = max(1.0, float(np.linalg.norm(gradient)) / clip)
            path.append(path[-1] - rate * gradient / longest)
        return np.array(path)


def spectrum(weights: Tensor) -> NDArray[np.complex128]:
    """Eigenvalues of a square matrix."""
    return torch.linalg.eigvals(weights.double()).numpy()
