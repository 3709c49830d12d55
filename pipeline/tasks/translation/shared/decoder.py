"""The decoder: two recurrent layers that each look at the source sentence.

The first layer reads the target so far, and its states ask for contexts of the source; the second
reads states and contexts, and asks again. Its questions know every earlier context, hence which
words are already translated. Input feeding (Luong et al. 2015) would tell the same, but makes each
step wait for the one before; here no layer needs its own output, so in training each runs over
the whole known target at once, several times faster (the order of layers is that of GNMT, Wu et
al. 2016; repeated questions are those of memory networks, Sukhbaatar et al. 2015). Where contexts
come from is the systems' difference.
"""

import torch
from torch import Tensor, nn

from pipeline.nn.cells import Cell, State, layer
from pipeline.nn.dropout import FreshDropout
from pipeline.nn.seq2seq import Contexts, FirstState, Memory, run


class Decoder(nn.Module):
    """Two layers and the readout of `embedding` dimensions that is compared with each word.

    Both layers ask the same `contexts`, of `context` dimensions, which carry nothing.
    """

    def __init__(self, cell: Cell, embedding: int, hidden: int, contexts: Contexts, context: int,
                 dropout: float) -> None:
        super().__init__()
        self.lower = layer(cell, embedding, hidden)
        self.upper = layer(cell, hidden + context, hidden)
        self.start = FirstState(2 * hidden, hidden, 2 * self.lower.states)
        self.readout = nn.Linear(hidden + context, embedding)
        self.dropout = FreshDropout(dropout)
        self.contexts = contexts

    def forward(self, embedded: Tensor, memory: Memory,
                state: State) -> tuple[Tensor, State, Tensor | None]:
        """Run over `embedded` [N, T, embedding]; N is B, or a multiple of it in beam search.

        Returns readouts [N, T, embedding], the state after T and the weights [N, T, S] of the
        second look.
        """
        half = self.lower.states
        lower, lower_state = run(self.lower, self.dropout(embedded), state[:half])
        found, _, _ = self.contexts(lower, memory, ())
        upper, upper_state = run(self.upper, torch.cat([self.dropout(lower), found], dim=-1),
                                 state[half:])
        states = lower + upper
        found, weights, _ = self.contexts(states, memory, ())
        readouts = self.readout(torch.cat([self.dropout(states), found], dim=-1))
        return self.dropout(torch.tanh(readouts)), (*lower_state, *upper_state), weights
