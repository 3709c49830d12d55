"""Dropout for recurrent networks: one mask for a whole sequence.

A mask drawn anew at every time step destroys what a recurrent layer tries to remember; the same
mask at all steps is a Bayesian approximation and regularises without that noise (Gal and
Ghahramani 2016, "A Theoretically Grounded Application of Dropout in Recurrent Neural Networks").
"""

from torch import Tensor, nn
from torch.nn import functional


def _mask(like: Tensor, shape: tuple[int, ...], p: float) -> Tensor:
    """Zeros with probability `p`, elsewhere 1 / (1 - p), so that the expectation is 1."""
    return like.new_empty(shape).bernoulli_(1 - p).div_(1 - p)


class LockedDropout(nn.Module):
    """Drops features of [time, batch, features], the same ones at all times of a sequence."""

    def __init__(self, p: float) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"a dropout probability is in [0, 1), got {p}")
        self.p = p

    def forward(self, inputs: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return inputs
        return inputs * _mask(inputs, (1, *inputs.shape[1:]), self.p)


def embedding_with_dropout(tokens: Tensor, weight: Tensor, p: float) -> Tensor:
    """Embed `tokens` [...] by `weight` [types, features]; returns [..., features].

    A word type is dropped with probability `p`: all its occurrences in the batch or none, which
    for one-hot inputs is the locked mask (Gal and Ghahramani 2016, section 4.2).
    """
    embedded = functional.embedding(tokens, weight)
    if p == 0:
        return embedded
    return embedded * functional.embedding(tokens, _mask(weight, (len(weight), 1), p))
