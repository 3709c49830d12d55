"""Stacked recurrent layers with locked dropout between them, over torch's fused kernels.

`nn.LSTM` computes a whole sequence in one call but knows only dropout that changes at every step,
so each layer is a kernel of its own and the dropout stands between them. The cell is Hochreiter
and Schmidhuber's with forget gates (Gers et al. 2000), without peepholes.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.nn.dropout import LockedDropout

LSTMState = list[tuple[Tensor, Tensor]]


class StackedLSTM(nn.Module):
    """LSTM layers of the given `widths` over inputs [time, batch, features].

    A state is a pair (h, c) a layer, each [1, batch, width of the layer]. In training, each entry
    of the recurrent matrices is dropped with probability `weight_dropout`, the same for all steps
    of a call (DropConnect; Merity et al. 2018).
    """

    def __init__(self, features: int, widths: Sequence[int], dropout: float,
                 weight_dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.LSTM(below, width) for below, width in zip([features, *widths], widths,
                                                          strict=False))
        self.dropout = LockedDropout(dropout)
        self.weight_dropout = weight_dropout

    def forward(self, inputs: Tensor, state: LSTMState) -> tuple[Tensor, LSTMState]:
        """Returns the last layer's outputs [time, batch, widths[-1]] and the state after them."""
        after: LSTMState = []
        outputs = inputs
        for index, (layer, before) in enumerate(zip(self.layers, state, strict=True)):
            if index > 0:
                outputs = self.dropout(outputs)
            outputs, last = self._through(layer, outputs, before)
            after.append(last)
        return outputs, after

    def _through(self, layer: nn.LSTM, inputs: Tensor,
                 before: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        if not (self.training and self.weight_dropout):
            return layer(inputs, before)
        weights = [layer.weight_ih_l0, functional.dropout(layer.weight_hh_l0, self.weight_dropout),
                   layer.bias_ih_l0, layer.bias_hh_l0]
        outputs, *last = torch.lstm(inputs, before, weights, has_biases=True, num_layers=1,
                                    dropout=0.0, train=True, bidirectional=False,
                                    batch_first=False)
        return outputs, tuple(last)

    def start(self, batch: int) -> LSTMState:
        """The state before anything was read: zeros."""
        return [(layer.weight_hh_l0.new_zeros(1, batch, layer.hidden_size),
                 layer.weight_hh_l0.new_zeros(1, batch, layer.hidden_size))
                for layer in self.layers]


@torch.no_grad()
def forget_bias_one(lstm: StackedLSTM) -> None:
    """Let the forget gates begin open, so that a new network remembers (Jozefowicz et al. 2015)."""
    for layer in lstm.layers:
        forget = slice(layer.hidden_size, 2 * layer.hidden_size)
        layer.bias_ih_l0[forget] = 1.0
        layer.bias_hh_l0[forget] = 0.0


def detached(state: LSTMState) -> LSTMState:
    """The same values with no history, where truncated back-propagation ends."""
    return [(h.detach(), c.detach()) for h, c in state]


def state_tensors(state: LSTMState) -> dict[str, Tensor]:
    """A state as named tensors, for a checkpoint."""
    return {f"{name}.{index}": tensor for index, pair in enumerate(state)
            for name, tensor in zip("hc", pair, strict=True)}


def state_from_tensors(tensors: dict[str, Tensor]) -> LSTMState:
    """Take back what `state_tensors` gave. Raises KeyError when a tensor is missing."""
    return [(tensors[f"h.{index}"], tensors[f"c.{index}"]) for index in range(len(tensors) // 2)]
