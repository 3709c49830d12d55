"""Stacked recurrent layers of any cell, with dropout between them and states to carry.

torch's own stacks know only dropout that changes at every step, so each layer is one of
`pipeline.nn.cells` (a fused kernel where there is one) and the dropout stands between them.
`Stack` runs forward and hands its state on, as language models and decoders need;
`BidirectionalStack` reads whole sequences from both sides, as encoders and taggers do.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pipeline.nn.cells import Cell, State, layer
from pipeline.nn.containers import module_list
from pipeline.nn.dropout import FreshDropout, Masks, sequence_dropout

StackState = list[State]


class Stack(nn.Module):
    """Layers of one cell with the given `widths` over inputs [time, batch, features].

    A state is that of each layer: tensors [1, batch, width of the layer]. In training, each entry
    of the recurrent matrices is dropped with probability `weight_dropout`, the same for all steps
    of a call (DropConnect; Merity et al. 2018), and features between layers with `dropout` by
    `masks`.
    """

    def __init__(self, cell: Cell, features: int, widths: Sequence[int], dropout: float,
                 weight_dropout: float = 0.0, masks: Masks = "locked") -> None:
        super().__init__()
        self.layers = module_list(
            layer(cell, below, width) for below, width in zip([features, *widths], widths,
                                                              strict=False))
        self.dropout = sequence_dropout(masks, dropout)
        self.weight_dropout = FreshDropout(weight_dropout)

    def forward(self, inputs: Tensor, state: StackState) -> tuple[Tensor, StackState]:
        """Returns the last layer's outputs [time, batch, widths[-1]] and the state after them."""
        after: StackState = []
        outputs = inputs
        for index, (through, before) in enumerate(zip(self.layers, state, strict=True)):
            if index > 0:
                outputs = self.dropout(outputs)
            recurrent = None
            if self.training and self.weight_dropout.p:
                recurrent = self.weight_dropout(through.weight_hh_l0)
            outputs, last = through(outputs, before, recurrent)
            after.append(last)
        return outputs, after

    def start(self, batch: int) -> StackState:
        """The state before anything was read: zeros."""
        return [through.start(batch) for through in self.layers]


class BidirectionalStack(nn.Module):
    """Pairs of layers that read padded sequences from both sides, each pair above the other.

    Features between pairs are dropped with probability `dropout` by `masks`.

    A layer that runs backward is one that runs forward over each sequence reversed within its own
    length. Padding then stands behind a sequence for both, so no layer sees it before the
    sequence is over, and the kernels need no packed sequences, which are slower.
    """

    def __init__(self, cell: Cell, features: int, widths: Sequence[int], dropout: float,
                 masks: Masks = "locked") -> None:
        super().__init__()
        below = [features, *(2 * width for width in widths)]
        self.forwards, self.backwards = (
            module_list(layer(cell, size, width)
                        for size, width in zip(below, widths, strict=False))
            for _ in range(2))
        self.dropout = sequence_dropout(masks, dropout)

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """States [time, batch, 2 * widths[-1]] of `inputs` [time, batch, features].

        The first half has read from the left, the second from the right; those behind a
        sequence's length (`lengths` [batch]) mean nothing.
        """
        outputs = inputs
        for index, (left, right) in enumerate(zip(self.forwards, self.backwards, strict=True)):
            if index > 0:
                outputs = self.dropout(outputs)
            batch = outputs.shape[1]
            from_left, _ = left(outputs, left.start(batch))
            from_right, _ = right(reverse(outputs, lengths), right.start(batch))
            outputs = torch.cat([from_left, reverse(from_right, lengths)], dim=-1)
        return outputs


def reverse(sequences: Tensor, lengths: Tensor, time: int = 0) -> Tensor:
    """Each of `sequences` [time, batch, ...] reversed within its length, padding left in place.

    With `time` 1 they are [batch, time, ...].
    """
    places = torch.arange(sequences.shape[time], device=sequences.device)
    mirrored = lengths.to(sequences.device)[:, None] - 1 - places
    index = torch.where(mirrored >= 0, mirrored, places)
    if time == 0:
        index = index.T
    return sequences.take_along_dim(
        index.reshape(*index.shape, *[1] * (sequences.dim() - 2)), time)


def ends(states: Tensor, lengths: Tensor) -> Tensor:
    """What each direction holds once it has read all of a sequence, [batch, 2 * width].

    `states` [time, batch, 2 * width] are a `BidirectionalStack`'s: reading from the left ends at
    the last step within `lengths` [batch], reading from the right at the first.
    """
    from_left, from_right = states.chunk(2, dim=-1)
    batch = torch.arange(len(lengths), device=states.device)
    return torch.cat([from_left[lengths.to(states.device) - 1, batch], from_right[0]], dim=-1)


def detached(state: StackState) -> StackState:
    """The same values with no history, where truncated back-propagation ends."""
    return [tuple(tensor.detach() for tensor in tensors) for tensors in state]


def state_tensors(state: StackState) -> dict[str, Tensor]:
    """A state as named tensors, for a checkpoint."""
    return {f"{name}.{index}": tensor for index, tensors in enumerate(state)
            for name, tensor in zip("hc", tensors, strict=False)}


def state_from_tensors(tensors: dict[str, Tensor]) -> StackState:
    """Take back what `state_tensors` gave. Raises KeyError when a tensor is missing."""
    names = [name for name in "hc" if f"{name}.0" in tensors]
    return [tuple(tensors[f"{name}.{index}"] for name in names)
            for index in range(len(tensors) // len(names))]
