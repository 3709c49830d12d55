"""The encoder: a small convolutional network, trained with the decoder.

Blocks of a 3 x 3 convolution, batch normalisation (Ioffe and Szegedy 2015) and a rectifier; the
first ones take steps of two and so halve the picture. A convolution cannot say where something is,
and a relation is all about that, so each pixel also knows its coordinates (Liu et al. 2018, "An
Intriguing Failing of Convolutional Neural Networks and the CoordConv Solution").
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Encoder(nn.Module):
    """From pictures to a map of vectors with `channels[-1]` dimensions."""

    def __init__(self, channels: Sequence[int], halvings: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(
            nn.Sequential(nn.Conv2d(below, width, 3, stride=2 if number < halvings else 1,
                                    padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
            for number, (below, width) in enumerate(zip([5, *channels], channels, strict=False))))

    def forward(self, pictures: Tensor) -> Tensor:
        """Vectors [B, map_side(side)**2, channels[-1]] of uint8 `pictures` [B, side, side, 3]."""
        pixels = pictures.permute(0, 3, 1, 2).to(next(self.parameters()).dtype) / 127.5 - 1
        batch, _, side, _ = pixels.shape
        line = torch.linspace(-1, 1, side, device=pixels.device, dtype=pixels.dtype)
        coordinates = torch.stack(torch.meshgrid(line, line, indexing="ij"))
        states = self.blocks(torch.cat([pixels, coordinates.expand(batch, -1, -1, -1)], dim=1))
        return states.flatten(2).transpose(1, 2)


def map_side(side: int, halvings: int) -> int:
    """Places along a side of the map of a picture with `side` pixels."""
    return -(-side // 2**halvings)
