"""The recurrent cells of the lectures, each as one layer over whole sequences.

A layer's `step` holds the equations, to be read beside the lecture; `unrolled` applies them step
by step. `forward` gives the same values: it calls torch's fused kernel where torch has the cell,
and unrolls the others. What of a step depends on the input alone is computed for all steps in one
product before the loop.

Weights have torch's names, shapes and initial distribution, so they go both ways between a class
and torch's: `weight_ih_l0` [blocks * hidden, features] is the lectures' U, `weight_hh_l0`
[blocks * hidden, hidden] their W, with one block of rows a gate. A bias stands in two halves,
`bias_ih_l0` and `bias_hh_l0`; only in torch's own GRU are they not one bias.
"""

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

State = tuple[Tensor, ...]
Activation = Literal["tanh", "relu", "sigmoid"]


class Layer(nn.RNNBase):
    """One recurrent layer; a state is `states` tensors, each [1, batch, hidden], first the output.

    `recurrent` lets a caller replace the recurrent weights for one call (weight dropout).
    """

    states: ClassVar[int]
    weight_ih_l0: nn.Parameter
    weight_hh_l0: nn.Parameter
    bias_ih_l0: nn.Parameter
    bias_hh_l0: nn.Parameter

    @property
    @abstractmethod
    def step(self) -> Callable[..., State]:
        """step(projected, state, *recurrent): the state after one input.

        `projected` [batch, blocks * hidden] is U x + b of the input, `state` holds tensors
        [batch, hidden], `recurrent` is W as `parts` gives it.
        """

    def parts(self, recurrent: Tensor) -> tuple[Tensor, ...]:
        """What of W a step multiplies with the state at once; divided once, not at every step."""
        return (recurrent,)

    def project(self, inputs: Tensor) -> Tensor:
        """U x + b of all `inputs` [time, batch, features] in one product."""
        return functional.linear(inputs, self.weight_ih_l0, self.bias_ih_l0 + self.bias_hh_l0)

    def unrolled(self, inputs: Tensor, state: State,
                 recurrent: Tensor | None = None) -> tuple[Tensor, State]:
        """What `forward` gives, by the equations."""
        parts = self.parts(self.weight_hh_l0 if recurrent is None else recurrent)
        current = tuple(tensor[0] for tensor in state)
        outputs = []
        for projected in self.project(inputs).unbind(0):
            current = self.step(projected, current, *parts)
            outputs.append(current[0])
        return torch.stack(outputs), tuple(tensor[None] for tensor in current)

    def forward(self, inputs: Tensor, state: State,
                recurrent: Tensor | None = None) -> tuple[Tensor, State]:
        """`inputs` [time, batch, features] to outputs [time, batch, hidden] and the last state."""
        return self.unrolled(inputs, state, recurrent)

    def start(self, batch: int) -> State:
        """The state before anything was read: zeros."""
        return tuple(self.weight_hh_l0.new_zeros(1, batch, self.hidden_size)
                     for _ in range(self.states))

    def _kernel(self, kernel: Callable[..., tuple[Tensor, ...]], inputs: Tensor,
                state: Tensor | State, recurrent: Tensor | None) -> tuple[Tensor, State]:
        weights = list(self._flat_weights)
        if recurrent is not None:
            weights[1] = recurrent
        outputs, *last = kernel(inputs, state, weights, has_biases=True, num_layers=1,
                                dropout=0.0, train=self.training, bidirectional=False,
                                batch_first=False)
        return outputs, tuple(last)


class Elman(Layer):
    """a = b + W h + U x, h' = f(a) (Elman 1990); the output o = c + V h' stands in the model."""

    states = 1
    _FUNCTIONS: ClassVar = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}
    _KERNELS: ClassVar = {"tanh": torch.rnn_tanh, "relu": torch.rnn_relu}

    def __init__(self, features: int, hidden: int, activation: Activation = "tanh") -> None:
        super().__init__("RNN_TANH", features, hidden)
        self.activation = activation

    def step(self, projected: Tensor, state: State, recurrent: Tensor) -> State:
        (h,) = state
        a = projected + functional.linear(h, recurrent)
        return (self._FUNCTIONS[self.activation](a),)

    def forward(self, inputs: Tensor, state: State,
                recurrent: Tensor | None = None) -> tuple[Tensor, State]:
        if self.activation not in self._KERNELS:
            return self.unrolled(inputs, state, recurrent)
        return self._kernel(self._KERNELS[self.activation], inputs, state[0], recurrent)


class LSTM(Layer):
    """Long short-term memory (Hochreiter and Schmidhuber 1997), with forget gates (Gers 2000).

    i, f, o = sigmoid(U x + W h + b) each, g = tanh(U x + W h + b); c' = f c + i g,
    h' = o tanh(c'). The blocks of rows are i, f, g, o. Forget gates begin open, with a bias of 1,
    so that a new network remembers (Jozefowicz et al. 2015), or, if not `open_gates`, as torch's
    own do, about half open.
    """

    states = 2

    def __init__(self, features: int, hidden: int, open_gates: bool = True) -> None:
        super().__init__("LSTM", features, hidden)
        if open_gates:
            with torch.no_grad():
                self.bias_ih_l0.chunk(4)[1].fill_(1.0)
                self.bias_hh_l0.chunk(4)[1].zero_()

    def step(self, projected: Tensor, state: State, recurrent: Tensor) -> State:
        h, c = state
        i, f, g, o = (projected + functional.linear(h, recurrent)).chunk(4, dim=-1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c

    def forward(self, inputs: Tensor, state: State,
                recurrent: Tensor | None = None) -> tuple[Tensor, State]:
        return self._kernel(torch.lstm, inputs, state, recurrent)


class PeepholeLSTM(LSTM):
    """LSTM whose gates see the memory cell: i and f the old one, o the new (Gers et al. 2002).

    `peepholes` [3, hidden] weighs it for i, f and o; it begins at 0, as an ordinary LSTM.
    """

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__(features, hidden)
        self.peepholes = nn.Parameter(torch.zeros(3, hidden))

    def step(self, projected: Tensor, state: State, recurrent: Tensor) -> State:
        h, c = state
        to_i, to_f, to_o = self.peepholes
        i, f, g, o = (projected + functional.linear(h, recurrent)).chunk(4, dim=-1)
        i, f = torch.sigmoid(i + to_i * c), torch.sigmoid(f + to_f * c)
        c = f * c + i * torch.tanh(g)
        return torch.sigmoid(o + to_o * c) * torch.tanh(c), c

    def forward(self, inputs: Tensor, state: State,
                recurrent: Tensor | None = None) -> tuple[Tensor, State]:
        return self.unrolled(inputs, state, recurrent)


class GRU(Layer):
    """Gated recurrent unit (Cho et al. 2014): the reset gate acts before the recurrent product.

    r, z = sigmoid(U x + W h + b) each, n = tanh(U x + W (r h) + b). The lectures teach two
    conventions for the update gate: it keeps the old state, h' = z h + (1 - z) n (Cho et al.
    2014), or takes the new one, h' = (1 - z) h + z n (Chung et al. 2014). The blocks of rows are
    r, z, n.
    """

    states = 1

    def __init__(self, features: int, hidden: int, update: Literal["keep", "take"]) -> None:
        super().__init__("GRU", features, hidden)
        self.update = update

    def parts(self, recurrent: Tensor) -> tuple[Tensor, ...]:
        return recurrent.split([2 * self.hidden_size, self.hidden_size])

    def step(self, projected: Tensor, state: State, to_gates: Tensor, to_new: Tensor) -> State:
        (h,) = state
        gates, new = projected.split([2 * self.hidden_size, self.hidden_size], dim=-1)
        r, z = torch.sigmoid(gates + functional.linear(h, to_gates)).chunk(2, dim=-1)
        n = torch.tanh(new + functional.linear(r * h, to_new))
        return (torch.lerp(n, h, z) if self.update == "keep" else torch.lerp(h, n, z),)


class TorchGRU(Layer):
    """torch's GRU, a third one: the reset gate acts after the recurrent product.

    n = tanh(U x + b + r (W h + b')), and the update gate keeps the old state. One product with all
    of W serves a step, which is what the kernels of processors and GPUs want.
    """

    states = 1

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__("GRU", features, hidden)

    def project(self, inputs: Tensor) -> Tensor:
        return functional.linear(inputs, self.weight_ih_l0, self.bias_ih_l0)

    def step(self, projected: Tensor, state: State, recurrent: Tensor) -> State:
        (h,) = state
        product = functional.linear(h, recurrent, self.bias_hh_l0).chunk(3, dim=-1)
        to_r, to_z, to_n = projected.chunk(3, dim=-1)
        r, z = torch.sigmoid(to_r + product[0]), torch.sigmoid(to_z + product[1])
        n = torch.tanh(to_n + r * product[2])
        return (torch.lerp(n, h, z),)

    def forward(self, inputs: Tensor, state: State,
                recurrent: Tensor | None = None) -> tuple[Tensor, State]:
        return self._kernel(torch.gru, inputs, state[0], recurrent)


Cell = Literal["elman", "elman-relu", "elman-sigmoid", "lstm", "lstm-torch", "lstm-peephole",
               "gru-keep", "gru-take", "gru-torch"]

_LAYERS: dict[Cell, Callable[[int, int], Layer]] = {
    "elman": Elman,
    "elman-relu": partial(Elman, activation="relu"),
    "elman-sigmoid": partial(Elman, activation="sigmoid"),
    "lstm": LSTM,
    "lstm-torch": partial(LSTM, open_gates=False),
    "lstm-peephole": PeepholeLSTM,
    "gru-keep": partial(GRU, update="keep"),
    "gru-take": partial(GRU, update="take"),
    "gru-torch": TorchGRU,
}


def layer(cell: Cell, features: int, hidden: int) -> Layer:
    """A layer of the named cell over `features`, with `hidden` units."""
    return _LAYERS[cell](features, hidden)
