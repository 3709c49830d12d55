"""Bidirectional layers that read a long sequence in ever larger steps.

Chan, Jaitly, Le and Vinyals 2016 ("Listen, Attend and Spell"): before a layer, neighbouring outputs
of the one below are laid side by side and become one step. A decoder then has few positions to
choose from, which it learns sooner, and layers above have less to compute.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.nn.cells import Cell
from pipeline.nn.containers import module_list
from pipeline.nn.dropout import FreshDropout
from pipeline.nn.rnn import BidirectionalStack


class Pyramid(nn.Module):
    """A layer of `hidden` units a direction for each of `strides`, the steps that it puts together.

    Features between layers are dropped with probability `dropout`.
    """

    def __init__(self, cell: Cell, features: int, hidden: int, strides: Sequence[int],
                 dropout: float) -> None:
        super().__init__()
        self.strides = list(strides)
        below = [features] + [2 * hidden] * (len(strides) - 1)
        self.layers = module_list(
            BidirectionalStack(cell, stride * width, [hidden], 0.0)
            for stride, width in zip(strides, below, strict=True))
        self.dropout = FreshDropout(dropout)

    def forward(self, inputs: Tensor, lengths: Tensor) -> list[tuple[Tensor, Tensor]]:
        """What each layer makes of `inputs` [B, T, features] with `lengths` [B], 1 at least.

        States [B, steps, 2 hidden], and how many of an input are none of the padding's, [B].
        """
        found: list[tuple[Tensor, Tensor]] = []
        outputs = inputs
        for index, (layer, stride) in enumerate(zip(self.layers, self.strides, strict=True)):
            if index > 0:
                outputs = self.dropout(outputs)
            outputs, lengths = side_by_side(outputs, lengths, stride)
            outputs = layer(outputs.transpose(0, 1), lengths).transpose(0, 1)
            found.append((outputs, lengths))
        return found


def side_by_side(steps: Tensor, lengths: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Each `stride` neighbours of `steps` [B, T, D] as one, [B, ceil(T / stride), stride D].

    And the new lengths, rounded up: a sequence keeps its end, and one step at least. What its last
    step lacks is zero, whatever stands behind the sequence.
    """
    if stride == 1:
        return steps, lengths
    batch, duration, width = steps.shape
    exists = torch.arange(duration, device=steps.device) < lengths.to(steps.device)[:, None]
    kept = functional.pad(steps * exists[:, :, None], (0, 0, 0, -duration % stride))
    return kept.reshape(batch, -1, stride * width), (lengths + stride - 1) // stride
