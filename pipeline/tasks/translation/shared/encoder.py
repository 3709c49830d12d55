"""The encoder: a bidirectional recurrent network over the source sentence."""

import torch
from torch import Tensor, nn

from pipeline.nn.cells import Cell
from pipeline.nn.dropout import FreshDropout
from pipeline.nn.rnn import BidirectionalStack, ends
from pipeline.nn.seq2seq import Memory


class Encoder(nn.Module):
    """Layers that read a sentence from both sides.

    What it leaves of a token is [2 hidden + inputs] wide: both directions and the token's
    embedding, so that what a word means is found without its way through the recurrence. The
    summary of a sentence, [2 hidden], is the last state of each direction.
    """

    def __init__(self, cell: Cell, inputs: int, hidden: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.stack = BidirectionalStack(cell, inputs, [hidden] * layers, dropout, masks="fresh")
        self.dropout = FreshDropout(dropout)

    def forward(self, embedded: Tensor, lengths: Tensor) -> Memory:
        """`embedded` [B, S, inputs], `lengths` [B], each at least 1."""
        states = self.stack(self.dropout(embedded).transpose(0, 1), lengths)
        summary = ends(states, lengths)
        mask = torch.arange(len(states), device=lengths.device) < lengths[:, None]
        states = torch.cat([states.transpose(0, 1), embedded], dim=-1)
        return Memory(self.dropout(states), mask, self.dropout(summary))
