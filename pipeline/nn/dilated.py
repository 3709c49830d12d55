"""Dilated recurrence: the state comes from d steps back instead of one.

A layer of dilation d is d interleaved layers that share weights, so any layer of
`pipeline.nn.cells` computes it: d neighbouring steps become d rows of the batch, which moves
nothing in memory. Layers stand in blocks, and each block after the first adds its output to its
input (He et al. 2016, residual learning).

Source: Chang et al. 2017, "Dilated Recurrent Neural Networks".
"""

from collections.abc import Sequence

from torch import Tensor, nn

from pipeline.nn.cells import Cell, layer


class Dilated(nn.Module):
    """One layer with dilation `dilation`; a step never sees a later one."""

    def __init__(self, cell: Cell, features: int, hidden: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.layer = layer(cell, features, hidden)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs [time, batch, features] to states [time, batch, hidden]."""
        time, batch, features = inputs.shape
        rows = -(-time // self.dilation)
        padded = nn.functional.pad(inputs, (0, 0, 0, 0, 0, rows * self.dilation - time))
        dealt = padded.reshape(rows, self.dilation * batch, features)
        states, _ = self.layer(dealt, self.layer.start(self.dilation * batch))
        return states.reshape(rows * self.dilation, batch, -1)[:time]


class DilatedBlocks(nn.Module):
    """Blocks of dilated layers, `blocks` = [[1, 2], [2, 6]] for two blocks of two layers."""

    def __init__(self, cell: Cell, features: int, hidden: int,
                 blocks: Sequence[Sequence[int]]) -> None:
        super().__init__()
        sizes = [features] + [hidden] * sum(len(block) for block in blocks)
        below = iter(sizes)
        self.blocks = nn.ModuleList(
            nn.Sequential(*(Dilated(cell, next(below), hidden, dilation) for dilation in block))
            for block in blocks)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs [time, batch, features] to states [time, batch, hidden]."""
        states = self.blocks[0](inputs)
        for block in self.blocks[1:]:
            states = states + block(states)
        return states
