"""Rectified units with a ceiling, and the recurrent layer of them that reads from both sides.

Hannun et al. 2014 ("Deep Speech: Scaling up end-to-end speech recognition"): g(a) = min(max(0, a),
20) in place of a gate keeps a simple recurrent layer's state from growing without bound, and costs
no exponential. One layer reads forward and one backward, and what they say is added:

    f_t = g(W x_t + U_f f_{t-1} + b)    r_t = g(W x_t + U_r r_{t+1} + b)    h_t = f_t + r_t

Both directions hear the same W x + b, computed for all steps in one product; the loop over time has
one product with U_f and U_r side by side.
"""

import math

import torch
from torch import Tensor, nn

from pipeline.nn.rnn import reverse

CEILING = 20.0


def clipped_relu(inputs: Tensor) -> Tensor:
    """min(max(0, a), CEILING) of each of `inputs`, of any shape."""
    return inputs.clamp(0.0, CEILING)


class ClippedBidirectional(nn.Module):
    """Padded sequences read from both sides by clipped units, the two directions added.

    `recurrent` [2, hidden, hidden] are U_f and U_r. A sequence that runs backward is reversed
    within its own length, so padding stands behind it for both directions and is never heard.
    """

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.inputs = nn.Linear(features, hidden)
        bound = 1 / math.sqrt(hidden)  # torch's own for recurrent layers
        self.recurrent = nn.Parameter(torch.empty(2, hidden, hidden).uniform_(-bound, bound))

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """[time, batch, hidden] of `inputs` [time, batch, features].

        What stands behind a sequence's length (`lengths` [batch]) means nothing.
        """
        heard = self.inputs(inputs)
        both = torch.stack([heard, reverse(heard, lengths)], dim=1)
        onward = self.recurrent.transpose(1, 2)
        state = torch.zeros_like(both[0])
        states = []
        for step in both.unbind(0):
            state = clipped_relu(torch.baddbmm(step, state, onward))
            states.append(state)
        forward, backward = torch.stack(states).unbind(1)
        return forward + reverse(backward, lengths)
