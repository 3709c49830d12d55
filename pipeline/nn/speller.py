"""A recurrent decoder that is told what it saw last, asks where to look, and looks.

Chan et al. 2016 ("Listen, Attend and Spell"), section 3.2: s_i = RNN(s_i-1, y_i-1, c_i-1) reads the
letter before together with the context that it was written from, c_i = Attend(s_i, h), and the next
letter is chosen from s_i and c_i. In `pipeline.nn.seq2seq.RecurrentDecoder` a state that asks
either does not know the letter before or does not know the context before; where to look next
depends on both.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.nn.cells import Cell, State, layer
from pipeline.nn.seq2seq import Contexts, FirstState, Memory


class Speller(nn.Module):
    """One layer of `hidden` units that begins with a memory's summary and no context.

    `features`, `summary` and `context` are the widths of a letter's embedding, of a memory's
    summary and of a context.
    """

    def __init__(self, cell: Cell, features: int, hidden: int, summary: int, contexts: Contexts,
                 context: int) -> None:
        super().__init__()
        self.features = features
        self.context = context
        self.contexts = contexts
        self.layer = layer(cell, features + context, hidden)
        self.first = FirstState(summary, hidden, self.layer.states)

    def start(self, memory: Memory) -> State:
        """The state before the first letter: of the layer, its last context, of the attention."""
        nothing = memory.states.new_zeros(len(memory), self.context)
        return (*self.first(memory), nothing, *self.contexts.start(memory))

    def forward(self, embedded: Tensor, memory: Memory,
                state: State) -> tuple[Tensor, State, Tensor]:
        """Read letters `embedded` [N, L, features], rows as in `pipeline.nn.seq2seq.Contexts`.

        Returns states beside contexts [N, L, hidden + context], the state after them and the
        attention's weights [N, L, positions].
        """
        # The equations, not torch's kernel: for single steps that takes ten times as long.
        parts = self.layer.parts(self.layer.weight_hh_l0)
        of_letters, of_context = self._projected(embedded)
        own, seen = state[: self.layer.states], state[self.layer.states]
        carried = state[self.layer.states + 1 :]
        outputs, looked = [], []
        for projected in of_letters.unbind(1):
            own = self.layer.step(projected + functional.linear(seen, of_context), own, *parts)
            found, weights, carried = self.contexts(own[0][:, None], memory, carried)
            assert weights is not None
            seen = found.squeeze(1)
            outputs.append(torch.cat([own[0], seen], dim=-1))
            looked.append(weights.squeeze(1))
        return (torch.stack(outputs, dim=1), (*own, seen, *carried),
                torch.stack(looked, dim=1))

    def _projected(self, embedded: Tensor) -> tuple[Tensor, Tensor]:
        """What letters add to a step, for all at once, and the weights of what a context adds."""
        nothing = embedded.new_zeros(*embedded.shape[:2], self.context)
        of_letters = self.layer.project(torch.cat([embedded, nothing], dim=-1))
        return of_letters, self.layer.weight_ih_l0[:, self.features :]
