"""The decoder: two recurrent layers that each look at the source sentence.

The first layer reads the target so far, and its states ask for contexts of the source; the second
reads states and contexts, and asks again. Its questions know every earlier context, hence which
words are already translated. Input feeding (Luong et al. 2015) would tell the same, but makes each
step wait for the one before; here no layer needs its own output, so in training each runs over
the whole known target at once, several times faster (the order of layers is that of GNMT, Wu et
al. 2016; repeated questions are those of memory networks, Sukhbaatar et al. 2015). Where contexts
come from is the systems' difference.
"""

from typing import Protocol

import torch
from torch import Tensor, nn

from pipeline.nn.dropout import FreshDropout
from pipeline.tasks.translation.shared.encoder import Memory
from pipeline.tasks.translation.shared.recurrence import Cell, Recurrence, State


class ContextSource(Protocol):
    """Contexts [B, queries, context] of `queries` [B, queries, hidden] to B sentences' memory.

    Also the attention weights [B, queries, S], or None where there is no attention.
    """

    def __call__(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor | None]: ...


class Decoder(nn.Module):
    """Two layers and the readout of `embedding` dimensions that is compared with each word."""

    def __init__(self, cell: Cell, embedding: int, hidden: int, context: int,
                 dropout: float) -> None:
        super().__init__()
        self.lower = Recurrence(cell, embedding, hidden)
        self.upper = Recurrence(cell, hidden + context, hidden)
        self.start_states = nn.Linear(2 * hidden, 2 * self.lower.state_tensors * hidden)
        self.readout = nn.Linear(hidden + context, embedding)
        self.dropout = FreshDropout(dropout)

    def start(self, memory: Memory) -> State:
        """The states of both layers before the first token, each [B, hidden]."""
        states = torch.tanh(self.start_states(memory.summary))
        return states.chunk(2 * self.lower.state_tensors, dim=-1)

    def forward(self, embedded: Tensor, memory: Memory, state: State,
                context: ContextSource) -> tuple[Tensor, State, Tensor | None]:
        """Run over `embedded` [N, T, embedding]; N is B, or a multiple of it in beam search.

        Returns readouts [N, T, embedding], the state after T and the weights [B, N / B * T, S] of
        the second look.
        """
        half = self.lower.state_tensors
        lower, lower_state = self.lower(self.dropout(embedded), state[:half])
        contexts, _ = _look(lower, memory, context)
        upper, upper_state = self.upper(
            torch.cat([self.dropout(lower), contexts], dim=-1), state[half:])
        states = lower + upper
        contexts, weights = _look(states, memory, context)
        readouts = self.readout(torch.cat([self.dropout(states), contexts], dim=-1))
        return self.dropout(torch.tanh(readouts)), (*lower_state, *upper_state), weights


def _look(states: Tensor, memory: Memory,
          context: ContextSource) -> tuple[Tensor, Tensor | None]:
    """Contexts [N, T, context] of `states` [N, T, hidden].

    Row n belongs to sentence n // (N / B): hypotheses of one sentence ask the same memory, which
    is therefore never copied.
    """
    queries = states.reshape(len(memory.mask), -1, states.shape[-1])
    contexts, weights = context(queries, memory)
    return contexts.reshape(*states.shape[:2], -1), weights
