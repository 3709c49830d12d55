"""The encoder: a bidirectional recurrent network over the source sentence."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pipeline.nn.dropout import FreshDropout
from pipeline.nn.rnn import reverse
from pipeline.tasks.translation.shared.recurrence import Cell, Recurrence


@dataclass(frozen=True)
class Memory:
    """What the encoder leaves of B sentences.

    `states` [B, S, 2 hidden + inputs], one a token: both directions and the token's embedding, so
    that what a word means is found without its way through the recurrence; `mask` [B, S], true at
    tokens, false at padding; `summary` [B, 2 hidden], the last state of each direction; `keys`,
    what an attention computes from the states once a sentence.
    """

    states: Tensor
    mask: Tensor
    summary: Tensor
    keys: Tensor | None = None

    def select(self, sentences: Tensor) -> "Memory":
        keys = None if self.keys is None else self.keys[sentences]
        return Memory(self.states[sentences], self.mask[sentences], self.summary[sentences], keys)


class Encoder(nn.Module):
    """Layers of a forward and a backward recurrence each, the second over reversed sentences."""

    def __init__(self, cell: Cell, inputs: int, hidden: int, layers: int, dropout: float) -> None:
        super().__init__()
        sizes = [inputs] + [2 * hidden] * (layers - 1)
        self.forwards = nn.ModuleList(Recurrence(cell, size, hidden) for size in sizes)
        self.backwards = nn.ModuleList(Recurrence(cell, size, hidden) for size in sizes)
        self.dropout = FreshDropout(dropout)

    def forward(self, embedded: Tensor, lengths: Tensor) -> Memory:
        """`embedded` [B, S, inputs], `lengths` [B], each at least 1."""
        states = embedded
        for forwards, backwards in zip(self.forwards, self.backwards, strict=True):
            states = self.dropout(states)
            ahead, _ = forwards(states)
            behind, _ = backwards(reverse(states, lengths, time=1))
            states = torch.cat([ahead, reverse(behind, lengths, time=1)], dim=-1)
        rows = torch.arange(len(lengths), device=lengths.device)
        summary = torch.cat([ahead[rows, lengths - 1], behind[rows, lengths - 1]], dim=-1)
        mask = torch.arange(states.shape[1], device=lengths.device) < lengths[:, None]
        states = torch.cat([states, embedded], dim=-1)
        return Memory(self.dropout(states), mask, self.dropout(summary))
