"""A time-delay network over whole sequences: layers that see further and further apart frames.

Waibel et al. 1989 ("Phoneme Recognition Using Time-Delay Neural Networks") share weights over time
as a convolution does; Peddinti, Povey and Khudanpur 2015 ("A time delay neural network architecture
for efficient modeling of long temporal contexts") let each layer look at neighbours of the layer
below that are further apart, so few layers see much of the past and of the future.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pipeline.nn.dropout import FreshDropout

_KERNEL = 3


class TimeDelayStack(nn.Module):
    """One layer for each of `dilations`, which sees a frame and those so far before and behind it.
    """

    def __init__(self, features: int, width: int, dilations: Sequence[int], dropout: float) -> None:
        super().__init__()
        sizes = [features, *[width] * len(dilations)]
        self.layers = nn.ModuleList(
            nn.Conv1d(below, width, _KERNEL, padding=dilation, dilation=dilation)
            for below, dilation in zip(sizes, dilations, strict=False))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in dilations)
        self.dropout = FreshDropout(dropout)

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """[B, T, width] of `inputs` [B, T, features]; beyond a sequence's length stand zeros."""
        inside = (torch.arange(inputs.shape[1], device=inputs.device)
                  < lengths[:, None]).unsqueeze(-1)
        found = inputs * inside
        for number, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            above = norm(layer(found.transpose(1, 2)).transpose(1, 2)).relu() * inside
            found = above if number == 0 else found + self.dropout(above)
        return found
