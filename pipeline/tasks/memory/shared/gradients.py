"""How much of a loss's gradient reaches each state of a net on its way back.

Elman nets by the lecture's own back-propagation through time (`pipeline.nn.bptt`), gated cells by
autograd over the unrolled equations.
"""

import torch
from torch import Tensor, nn

from pipeline.nn import bptt
from pipeline.nn.cells import Elman, Layer
from pipeline.tasks.memory.shared.answers import Answer


def elman_net(layer: Elman, output: nn.Linear) -> bptt.Elman:
    """The weights of an Elman layer and the output layer above it under the lecture's names."""
    return bptt.Elman(
        U=layer.weight_ih_l0.detach(), W=layer.weight_hh_l0.detach(), V=output.weight.detach(),
        b=(layer.bias_ih_l0 + layer.bias_hh_l0).detach(), c=output.bias.detach(),
        activation=layer.activation)


def gradient_norms(layer: Layer, output: nn.Linear, answer: Answer, inputs: Tensor,
                   targets: Tensor) -> Tensor:
    """Mean Euclidean norm of dL/d state_t over sequences, [time + 1], the start's first.

    L is the loss of a sequence of `inputs` [time, batch, features], all of one length. The state
    of an LSTM is both of its parts.
    """
    if isinstance(layer, Elman):
        by_state = _by_hand(layer, output, answer, inputs, targets)
    else:
        by_state = _by_autograd(layer, output, answer, inputs, targets)
    return by_state.norm(dim=-1).mean(dim=1)


def _by_hand(layer: Elman, output: nn.Linear, answer: Answer, inputs: Tensor,
             targets: Tensor) -> Tensor:
    net = elman_net(layer, output)
    states, outputs = bptt.forward(net, inputs, layer.start(inputs.shape[1])[0][0].detach())
    grad_o = torch.zeros_like(outputs)
    grad_o[-1] = answer.gradient(outputs[-1], targets)
    return bptt.backward(net, inputs, states, grad_o).h


def _by_autograd(layer: Layer, output: nn.Linear, answer: Answer, inputs: Tensor,
                 targets: Tensor) -> Tensor:
    state = tuple(tensor.requires_grad_() for tensor in layer.start(inputs.shape[1]))
    states = [state]
    with torch.enable_grad():
        for step in inputs.split(1):
            _, state = layer.unrolled(step, state)
            states.append(state)
        loss = answer.loss(output(state[0][0]), targets)
    flat = [tensor for state in states for tensor in state]
    found = torch.autograd.grad(loss, flat, allow_unused=True)
    parts = [torch.zeros_like(tensor) if part is None else part
             for part, tensor in zip(found, flat, strict=True)]
    return torch.cat(parts).unflatten(0, (len(states), layer.states)).movedim(1, -2).flatten(-2)
