"""Dropout for recurrent networks: what enters and leaves a layer, never its way through time.

The same mask at all steps of a sequence is a Bayesian approximation (Gal and Ghahramani 2016, "A
Theoretically Grounded Application of Dropout in Recurrent Neural Networks"). A mask drawn anew at
each step (Zaremba, Sutskever and Vinyals 2014) is noisier for the layer above, and a batch sees
many more masks, which counts when there are few steps of training.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

_LEVELS = 2**32


def _mask(like: Tensor, shape: tuple[int, ...], p: float) -> Tensor:
    """Zeros with probability `p`, elsewhere a constant such that the expectation is 1.

    torch draws a number for each Bernoulli variable, which takes longer than a recurrent layer's
    matrix product. Here one draw of 64 bits serves two entries.
    """
    count = math.prod(shape)
    draws = torch.empty(-(-count // 2), dtype=torch.int64, device=like.device)
    draws.random_(-2**63, None)
    dropped = round(p * _LEVELS)
    kept = draws.view(torch.int32)[:count] >= dropped - _LEVELS // 2
    return kept.view(shape).to(like.dtype).mul_(_LEVELS / (_LEVELS - dropped))


class _Dropout(nn.Module):

    def __init__(self, p: float) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"a dropout probability is in [0, 1), got {p}")
        self.p = p

    def forward(self, inputs: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return inputs
        return inputs * _mask(inputs, self.mask_shape(inputs), self.p)

    def mask_shape(self, inputs: Tensor) -> tuple[int, ...]:
        raise NotImplementedError


class LockedDropout(_Dropout):
    """Drops features of [time, batch, features], the same ones at all times of a sequence."""

    def mask_shape(self, inputs: Tensor) -> tuple[int, ...]:
        return (1, *inputs.shape[1:])


class FreshDropout(_Dropout):
    """Drops entries of a tensor of any shape, each by itself."""

    def mask_shape(self, inputs: Tensor) -> tuple[int, ...]:
        return tuple(inputs.shape)


Masks = Literal["locked", "fresh"]


def sequence_dropout(masks: Masks, p: float) -> nn.Module:
    """Dropout of [time, batch, features]: `locked` for all times, `fresh` at each."""
    return LockedDropout(p) if masks == "locked" else FreshDropout(p)


def embedding_with_dropout(tokens: Tensor, weight: Tensor, p: float) -> Tensor:
    """Embed `tokens` [...] by `weight` [types, features]; returns [..., features].

    A word type is dropped with probability `p`: all its occurrences in the batch or none, which
    for one-hot inputs is the locked mask (Gal and Ghahramani 2016, section 4.2).
    """
    embedded = functional.embedding(tokens, weight)
    if p == 0:
        return embedded
    return embedded * functional.embedding(tokens, _mask(weight, (len(weight), 1), p))
