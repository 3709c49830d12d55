"""One recurrent layer, LSTM or GRU, over whole sequences at once.

Padding stands at the end of a sequence, so a layer that runs forward never sees it before the
sequence is over. A layer that runs backward is one that runs forward over each sequence reversed
within its own length. Neither needs packed sequences, which torch computes several times slower
than padded ones.

The GRU is the one that torch computes fused, of three that are taught: its update gate z keeps the
old state, h' = (1 - z) n + z h, and its reset gate comes after the product with the old state,
n = tanh(W x + b + r * (U h + c)), where Cho et al. 2014 have U (r * h).
"""

from typing import Literal

import torch
from torch import Tensor, nn

Cell = Literal["lstm", "gru"]
State = tuple[Tensor, ...]

CELLS: dict[Cell, tuple[type[nn.LSTM] | type[nn.GRU], int]] = {"lstm": (nn.LSTM, 2),
                                                              "gru": (nn.GRU, 1)}


class Recurrence(nn.Module):
    """A unidirectional layer; its state is one tensor [batch, hidden] (GRU) or two (LSTM)."""

    def __init__(self, cell: Cell, inputs: int, hidden: int) -> None:
        super().__init__()
        module, self.state_tensors = CELLS[cell]
        self.layer = module(inputs, hidden, batch_first=True)
        if cell == "lstm":
            self._remember()

    def _remember(self) -> None:
        """Start with open forget gates (Jozefowicz, Zaremba and Sutskever 2015)."""
        with torch.no_grad():
            self.layer.bias_ih_l0.chunk(4)[1].fill_(1.0)
            self.layer.bias_hh_l0.chunk(4)[1].zero_()

    def forward(self, inputs: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """`inputs` [batch, steps, inputs] to outputs [batch, steps, hidden] and the last state."""
        first = None if state is None else self._packed(state)
        outputs, last = self.layer(inputs, first)
        return outputs, tuple(tensor[0] for tensor in (last if self.state_tensors > 1 else [last]))

    def _packed(self, state: State) -> Tensor | State:
        """The state as torch's layer takes it: with a dimension for layers, a GRU's bare."""
        tensors = tuple(tensor[None] for tensor in state)
        return tensors if self.state_tensors > 1 else tensors[0]
