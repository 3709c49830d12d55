"""Limits of 95 % intervals as quantiles that a network learns beside its forecast.

The head reads the network's states and says how many spreads of the input window the limits lie
below and above the forecast. It learns by the pinball loss of the two quantiles, also in spreads,
so that a restless series counts no more than a quiet one. Neither states nor forecast get a
gradient from it: intervals cost the forecasts nothing.

What the head learns is a factor on the limits of a random walk, whose standard deviation is 1.25
mean absolute steps and grows with the root of the horizon. The factor begins at 1 and stays
between a tenth and ten, since strange series drive the states where nothing was learned. For
forecasts in logarithms a width w is 1 + w times the forecast, and not e^w times: the same for
quiet series, but from a window of wild steps e^w makes limits of billions.
"""

import math

import torch
from torch import Tensor, nn

from pipeline.tasks.forecast.shared.measures import TAILS
from pipeline.tasks.forecast.shared.precision import at_least_single

_WALK_WIDTH = 1.25 * 1.96
_LARGEST_LOG_FACTOR = math.log(10)


class IntervalHead(nn.Module):
    """From `features` of a state to the limits of `horizon` points."""

    walk: Tensor

    def __init__(self, features: int, horizon: int, logarithmic: bool) -> None:
        super().__init__()
        self.logarithmic = logarithmic
        self.log_factors = nn.Linear(features, 2 * horizon)
        nn.init.zeros_(self.log_factors.bias)
        walk = _WALK_WIDTH * torch.arange(1, horizon + 1).sqrt()
        self.register_buffer("walk", walk.repeat(2), persistent=False)

    def forward(self, states: Tensor, centre: Tensor, spread: Tensor) -> tuple[Tensor, Tensor]:
        """Limits [..., h] around `centre` [..., h] from `states` [..., features].

        `spread` [..., 1] is in the units of `centre`, which are logarithms if `logarithmic`.
        """
        logs = at_least_single(self.log_factors(states.detach()))
        factors = (_LARGEST_LOG_FACTOR * torch.tanh(logs / _LARGEST_LOG_FACTOR)).exp()
        widths = spread.detach() * self.walk * factors
        if self.logarithmic:
            widths = widths.log1p()
        below, above = widths.chunk(2, dim=-1)
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
