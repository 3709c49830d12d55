"""Dilated LSTM: the state comes from d steps back instead of one.

A layer of dilation d is d interleaved LSTMs that share weights, so a fused LSTM computes it: the
time axis is dealt out like cards onto d rows of the batch. Layers stand in blocks, and each block
after the first adds its output to its input (He et al. 2016, residual learning).

Source: Chang et al. 2017, "Dilated Recurrent Neural Networks".
"""

from collections.abc import Sequence

from torch import Tensor, nn


class DilatedLSTM(nn.Module):
    """One layer with dilation `dilation`; a step never sees a later one."""

    def __init__(self, input_size: int, hidden: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.lstm = nn.LSTM(input_size, hidden, batch_first=True)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs [batch, time, input_size] to states [batch, time, hidden]."""
        batch, time, size = inputs.shape
        d = self.dilation
        rows = -(-time // d)
        padded = nn.functional.pad(inputs, (0, 0, 0, rows * d - time))
        dealt = padded.view(batch, rows, d, size).transpose(1, 2).reshape(batch * d, rows, size)
        states, _ = self.lstm(dealt)
        collected = states.view(batch, d, rows, -1).transpose(1, 2)
        return collected.reshape(batch, rows * d, -1)[:, :time]


class DilatedBlocks(nn.Module):
    """Blocks of dilated layers, `blocks` = [[1, 2], [2, 6]] for two blocks of two layers."""

    def __init__(self, input_size: int, hidden: int, blocks: Sequence[Sequence[int]]) -> None:
        super().__init__()
        sizes = [input_size] + [hidden] * sum(len(block) for block in blocks)
        layers = iter(sizes)
        self.blocks = nn.ModuleList(
            nn.Sequential(*(DilatedLSTM(next(layers), hidden, dilation) for dilation in block))
            for block in blocks)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs [batch, time, input_size] to states [batch, time, hidden]."""
        states = self.blocks[0](inputs)
        for block in self.blocks[1:]:
            states = states + block(states)
        return states
