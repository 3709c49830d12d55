"""Multiplicative exponential smoothing of many series at once, differentiable.

    level_t = alpha y_t / season_t + (1 - alpha) level_{t-1}
    season_{t+m} = gamma y_t / level_t + (1 - gamma) season_t

With several seasonalities (a day and a week), season_t is the product of their indices, and each
is updated with the others divided out. A loop over time would cost a step of autograd a point.
But an index is used m points after it is made, so within a block of at most m points all indices
are known, and the level is a linear recurrence: one product with a triangular matrix a block.

Source: Holt 1957; Winters 1960; two seasonalities: Taylor 2003, multiplied: Smyl 2020.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

_BLOCK = 32


@dataclass(frozen=True)
class Smoothed:
    """`levels` [batch, time]; `seasons[k]` [batch, time + m_k], what time t + m_k will need
    standing at t + m_k."""

    levels: Tensor
    seasons: list[Tensor]


def smooth(values: Tensor, alpha_logits: Tensor, gamma_logits: Tensor,
           initial: Sequence[Tensor]) -> Smoothed:
    """Smooth positive `values` [batch, time].

    alpha_logits [batch] and gamma_logits [batch, seasonalities] are the logits of the
    coefficients; `initial[k]` [batch, m_k] holds the first season of each seasonality. The level
    before the first point is that point without its season. Nothing at t depends on a later point.
    """
    time = values.shape[1]
    block = min([season.shape[1] for season in initial], default=_BLOCK)
    kernel, decay = _recurrence(alpha_logits, block)
    gammas = gamma_logits.sigmoid()
    pending, made = list(initial), [[season] for season in initial]
    level = values[:, :1] / prod((season[:, :1] for season in initial),
                                 start=torch.ones_like(values[:, :1]))
    levels = []
    for start in range(0, time, block):
        points = values[:, start : start + block]
        size = points.shape[1]
        current = [season[:, :size] for season in pending]
        adjusted = points / prod(current, start=torch.ones_like(points))
        found = (kernel[:, :size, :size] @ adjusted[:, :, None])[:, :, 0] + decay[:, :size] * level
        surprise = adjusted / found - 1
        for k, season in enumerate(current):
            new = season * (1 + gammas[:, k : k + 1] * surprise)
            made[k].append(new)
            pending[k] = torch.cat([pending[k][:, size:], new], dim=1)
        levels.append(found)
        level = found[:, -1:]
    return Smoothed(torch.cat(levels, dim=1), [torch.cat(parts, dim=1) for parts in made])


def _recurrence(alpha_logits: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Weights of a block's points [batch, size, size] and of the level before it [batch, size]."""
    steps = torch.arange(size, device=alpha_logits.device)
    log_kept = logsigmoid(-alpha_logits)[:, None]
    powers = (log_kept[:, :, None] * (steps[:, None] - steps).clamp(min=0)).exp().tril()
    return alpha_logits.sigmoid()[:, None, None] * powers, (log_kept * (steps + 1)).exp()
