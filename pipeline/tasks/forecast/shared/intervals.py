"""Limits of 95 % intervals as quantiles that a network learns beside its forecast.

The head reads the network's states and says how many spreads of the input window the limits lie
below and above the forecast. It learns by the pinball loss of the two quantiles, also in spreads,
so that a restless series counts no more than a quiet one. Neither states nor forecast get a
gradient from it: intervals cost the forecasts nothing. It begins with the limits of a random walk,
whose standard deviation is 1.25 mean absolute steps and grows with the root of the horizon.
"""

import math

import torch
from torch import Tensor, nn

from pipeline.tasks.forecast.shared.measures import TAILS

_LARGEST_LOG_WIDTH = 8.0
_FIRST_WIDTH = 1.25 * 1.96


class IntervalHead(nn.Module):
    """From `features` of a state to the limits of `horizon` points."""

    def __init__(self, features: int, horizon: int) -> None:
        super().__init__()
        self.log_widths = nn.Linear(features, 2 * horizon)
        walk = math.log(_FIRST_WIDTH) + 0.5 * torch.arange(1, horizon + 1).log()
        with torch.no_grad():
            self.log_widths.bias.copy_(walk.repeat(2))

    def forward(self, states: Tensor, centre: Tensor, spread: Tensor) -> tuple[Tensor, Tensor]:
        """Limits [..., h] around `centre` [..., h] from `states` [..., features].

        `spread` [..., 1] is in the units of `centre`.
        """
        logs = self.log_widths(states.detach()).float().clamp(-_LARGEST_LOG_WIDTH,
                                                              _LARGEST_LOG_WIDTH)
        below, above = (spread.detach() * logs.exp()).chunk(2, dim=-1)
        return centre.detach() - below, centre.detach() + above

    def loss(self, states: Tensor, centre: Tensor, spread: Tensor, actual: Tensor) -> Tensor:
        """Pinball loss of both limits in spreads, averaged over the horizon, [...]."""
        limits = self(states, centre, spread)
        losses = [pinball(actual.detach() - limit, tau)
                  for limit, tau in zip(limits, TAILS, strict=True)]
        return (sum(losses) / spread.detach()).mean(dim=-1)


def pinball(errors: Tensor, tau: float) -> Tensor:
    """Loss of each error whose sum is least at the quantile `tau` (Koenker and Bassett 1978)."""
    return torch.maximum(tau * errors, (tau - 1) * errors)
