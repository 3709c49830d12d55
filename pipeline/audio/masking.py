"""SpecAugment: bands of time and of features are hidden in training (Park et al. 2019)."""

import torch
from torch import Tensor

_LONGEST_SHARE = 5  # a time mask hides at most a fifth of an utterance


def mask(frames: Tensor, lengths: Tensor, *, time_masks: int, longest: int, feature_masks: int,
         widest: int) -> Tensor:
    """Set random bands of standardised `frames` [B, T, D] to 0, their mean.

    Each utterance gets `time_masks` bands of 0 to `longest` frames and `feature_masks` bands of 0
    to `widest` neighbouring features. Draws from torch's global generator.
    """
    _, duration, dimension = frames.shape
    hidden = torch.zeros_like(frames, dtype=torch.bool)
    shares = (lengths // _LONGEST_SHARE).clamp(max=longest)
    for _ in range(time_masks):
        hidden |= _band(lengths, duration, shares)[:, :, None]
    everywhere = torch.full_like(lengths, dimension)
    for _ in range(feature_masks):
        hidden |= _band(everywhere, dimension, everywhere.clamp(max=widest))[:, None]
    return frames.masked_fill(hidden, 0.0)


def _band(extents: Tensor, size: int, widest: Tensor) -> Tensor:
    """A random band of 0 to `widest` [B] places within the first `extents` [B]: [B, size]."""
    shape, device = extents.shape, extents.device
    width = (torch.rand(shape, device=device) * (widest + 1)).long()
    start = (torch.rand(shape, device=device) * (extents - width + 1)).long()
    places = torch.arange(size, device=device)
    return (places >= start[:, None]) & (places < (start + width)[:, None])
