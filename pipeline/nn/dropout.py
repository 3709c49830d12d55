"""Dropout for recurrent networks: what enters and leaves a layer, never its way through time.

The same mask at all steps of a sequence is a Bayesian approximation (Gal and Ghahramani 2016, "A
Theoretically Grounded Application of Dropout in Recurrent Neural Networks"). A mask drawn anew at
each step (Zaremba, Sutskever and Vinyals 2014) is noisier for the layer above, and a batch sees
many more masks, which counts when there are few steps of training.
"""

from typing import Literal

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


Masks = Literal["locked", "fresh"]


def sequence_dropout(masks: Masks, p: float) -> nn.Module:
    """Dropout of [time, batch, features]: `locked` for all times, `fresh` at each."""
    return LockedDropout(p) if masks == "locked" else nn.Dropout(p)


def embedding_with_dropout(tokens: Tensor, weight: Tensor, p: float) -> Tensor:
    """Embed `tokens` [...] by `weight` [types, features]; returns [..., features].

    A word type is dropped with probability `p`: all its occurrences in the batch or none, which
    for one-hot inputs is the locked mask (Gal and Ghahramani 2016, section 4.2).
    """
    embedded = functional.embedding(tokens, weight)
    if p == 0:
        return embedded
    return embedded * functional.embedding(tokens, _mask(weight, (len(weight), 1), p))
