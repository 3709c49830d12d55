"""Sequences made from a memory: what an encoder leaves, what a decoder finds in it, its search.

A recurrent network that writes a translation, a caption or a transcript reads what it has written
so far and looks at a memory of its input: all of it at once (Sutskever, Vinyals and Le 2014) or
the part that its state asks for (Bahdanau, Cho and Bengio 2015). Tasks differ in what encodes the
input and in how a token is chosen; the rest stands here.

A decoder's state is a flat tuple of tensors with a row for each hypothesis, so beam search keeps
rows of it without knowing what they mean: states of layers and, where an attention wants to know
where it looked before, what that carries from step to step.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from pipeline.nn.attention import Attention
from pipeline.nn.beam import continued_rows
from pipeline.nn.cells import Cell, Layer, State, layer

Asks = Literal["before", "after"]


@dataclass(frozen=True)
class Memory:
    """What an encoder leaves of B inputs.

    `states` [B, positions, width], which contexts are averages of; `mask` [B, positions], true at
    states that exist; `summary` [B, width of a summary], the whole input as one vector; `keys`,
    what an attention computes from the states once an input.
    """

    states: Tensor
    mask: Tensor
    summary: Tensor
    keys: Tensor | None = None

    def __len__(self) -> int:
        return len(self.mask)

    def select(self, inputs: Tensor) -> "Memory":
        """The memory of those at the places `inputs`, any of them several times."""
        keys = None if self.keys is None else self.keys[inputs]
        return Memory(self.states[inputs], self.mask[inputs], self.summary[inputs], keys)


class Contexts(nn.Module):
    """What queries find in a memory; one that looks where it looked before carries a state.

    There are N rows of queries, N a multiple of the memory's B inputs, and row n asks about input
    n // (N / B): hypotheses about one input share its memory, which is never copied.
    """

    def start(self, memory: Memory) -> State:
        """What is carried before the first query, tensors [B, ...]; of most, nothing."""
        return ()

    @abstractmethod
    def forward(self, queries: Tensor, memory: Memory,
                carried: State) -> tuple[Tensor, Tensor | None, State]:
        """Contexts [N, T, context] of `queries` [N, T, query], asked one after another.

        Also the weights [N, T, positions], or None where there is no attention, and what is
        carried on, tensors [N, ...].
        """


class AttentionContexts(Contexts):
    """Weighted averages of the memory's states; each query is by itself."""

    def __init__(self, attention: Attention) -> None:
        super().__init__()
        self.attention = attention

    def forward(self, queries: Tensor, memory: Memory,
                carried: State) -> tuple[Tensor, Tensor, State]:
        assert memory.keys is not None
        asked = queries.reshape(len(memory), -1, queries.shape[-1])
        contexts, weights = self.attention(asked, memory.keys, memory.states, memory.mask)
        rows = queries.shape[:2]
        return contexts.reshape(*rows, -1), weights.reshape(*rows, -1), carried


class SummaryContexts(Contexts):
    """The memory's summary, whatever the query."""

    def forward(self, queries: Tensor, memory: Memory,
                carried: State) -> tuple[Tensor, None, State]:
        summary = memory.summary.repeat_interleave(len(queries) // len(memory), dim=0)
        return summary[:, None].expand(-1, queries.shape[1], -1), None, carried


class FirstState(nn.Module):
    """The state before the first token: tanh of a linear map of the memory's summary."""

    def __init__(self, summary: int, hidden: int, tensors: int) -> None:
        super().__init__()
        self.tensors = tensors
        self.linear = nn.Linear(summary, tensors * hidden)

    def forward(self, memory: Memory) -> State:
        """As many `tensors` [B, hidden]."""
        return torch.tanh(self.linear(memory.summary)).chunk(self.tensors, dim=-1)


class RecurrentDecoder(nn.Module):
    """One recurrent layer that begins with a memory's summary and asks for contexts.

    The state `before` a token asks, and what it finds is read beside the token (Bahdanau et al.
    2015), so each step waits for the one before; or the state `after` it asks (Luong, Pham and
    Manning 2015), which knows the token already, and the layer runs over a known sequence at once.
    """

    def __init__(self, cell: Cell, features: int, hidden: int, summary: int, contexts: Contexts,
                 context: int, asks: Asks) -> None:
        """`summary` and `context` are the dimensions of a memory's summary and of a context."""
        super().__init__()
        self.asks = asks
        self.contexts = contexts
        self.layer = layer(cell, features + (context if asks == "before" else 0), hidden)
        self.first = FirstState(summary, hidden, self.layer.states)

    def start(self, memory: Memory) -> State:
        """The state before the first token, tensors [B, ...]."""
        return (*self.first(memory), *self.contexts.start(memory))

    def forward(self, embedded: Tensor, memory: Memory,
                state: State) -> tuple[Tensor, State, Tensor | None]:
        """Run over `embedded` [N, T, features], rows as in `Contexts`.

        Returns states beside contexts [N, T, hidden + context], the state after T and the
        attention's weights [N, T, positions].
        """
        if self.asks == "after":
            return self._after(embedded, memory, state)
        steps = []
        for token in embedded.split(1, dim=1):
            *found, state = self._before(token, memory, state)
            steps.append(found)
        outputs, weights = zip(*steps, strict=True)
        looked = None if weights[0] is None else torch.cat(weights, dim=1)
        return torch.cat(outputs, dim=1), state, looked

    def _before(self, token: Tensor, memory: Memory,
                state: State) -> tuple[Tensor, Tensor | None, State]:
        own, carried = self._parts(state)
        contexts, weights, carried = self.contexts(own[0][:, None], memory, carried)
        outputs, own = run(self.layer, torch.cat([token, contexts], dim=-1), own)
        return torch.cat([outputs, contexts], dim=-1), weights, (*own, *carried)

    def _after(self, embedded: Tensor, memory: Memory,
               state: State) -> tuple[Tensor, State, Tensor | None]:
        own, carried = self._parts(state)
        outputs, own = run(self.layer, embedded, own)
        contexts, weights, carried = self.contexts(outputs, memory, carried)
        return torch.cat([outputs, contexts], dim=-1), (*own, *carried), weights

    def _parts(self, state: State) -> tuple[State, State]:
        """The layer's own state, and what the contexts carry."""
        return state[: self.layer.states], state[self.layer.states :]


def run(through: Layer, inputs: Tensor, state: State) -> tuple[Tensor, State]:
    """A layer over rows: `inputs` [N, T, features] to outputs [N, T, hidden] and the last state.

    States are tensors [N, hidden], as beam search reorders them.
    """
    outputs, after = through(inputs.transpose(0, 1),
                             tuple(tensor[None].contiguous() for tensor in state))
    return outputs.transpose(0, 1), tuple(tensor[0] for tensor in after)


class Step(Protocol):
    """How a network goes on: log-probabilities [N, vocabulary] after `tokens` [N], next state."""

    def __call__(self, tokens: Tensor, memory: Memory,
                 state: State, /) -> tuple[Tensor, State]: ...


class BeamScorer:
    """A network as `pipeline.nn.beam.beam_search` sees it: `beam` hypotheses about each input.

    `state` is that before the first token, tensors [B, ...].
    """

    def __init__(self, step: Step, memory: Memory, state: State, beam: int) -> None:
        self.step = step
        self.memory = memory
        self.state = tuple(tensor.repeat_interleave(beam, dim=0) for tensor in state)

    def advance(self, tokens: Tensor) -> Tensor:
        found, self.state = self.step(tokens.flatten(), self.memory, self.state)
        return found.reshape(*tokens.shape, -1)

    def reorder(self, sentences: Tensor, parents: Tensor) -> None:
        rows = continued_rows(sentences, parents)
        self.state = tuple(tensor[rows] for tensor in self.state)
        if len(sentences) < len(self.memory):
            self.memory = self.memory.select(sentences)
