"""Attention: a weighted average of memory states, with weights that depend on a query.

A score compares the query with each memory state, the softmax over the states that are not padding
turns scores into weights, and the context is the weighted sum. Three scores of the literature:
additive, v tanh(W q + U m) (Bahdanau, Cho and Bengio 2015), and dot, q m, and general, q W m (both
Luong, Pham and Manning 2015). The part of a score that depends on the memory alone (`keys`) is
computed once a sentence, since a decoder asks many queries of one memory. Where a whole sequence
becomes one vector there is one query, and query and keys come from the same layer
(`AttentionPooling`).
"""

from abc import abstractmethod
from typing import Literal

import torch
from torch import Tensor, nn

AttentionKind = Literal["additive", "dot", "general"]
Query = Literal["learnt", "last"]


class Attention(nn.Module):
    """Scores, softmax, weighted sum; a subclass says what a key and a score are."""

    @abstractmethod
    def keys(self, states: Tensor) -> Tensor:
        """What of the memory `states` [batch, positions, memory] the scores need."""

    @abstractmethod
    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Scores [batch, queries, positions] of `queries` [batch, queries, query] and `keys`."""

    def forward(self, queries: Tensor, keys: Tensor, states: Tensor,
                mask: Tensor) -> tuple[Tensor, Tensor]:
        """Contexts [batch, queries, memory] and weights [batch, queries, positions].

        `mask` [batch, positions] is true at states that exist; each row needs one at least, and
        the others get exactly zero weight.
        """
        scores = self.scores(queries, keys).float().masked_fill(~mask[:, None, :], -torch.inf)
        weights = scores.softmax(dim=-1)
        return weights.to(states.dtype) @ states, weights


class AdditiveAttention(Attention):
    """Score v tanh(W q + U m), a small network with one hidden layer."""

    def __init__(self, query: int, memory: int, hidden: int) -> None:
        super().__init__()
        self.query = nn.Linear(query, hidden)
        self.key = nn.Linear(memory, hidden, bias=False)
        self.score = nn.Linear(hidden, 1, bias=False)

    def keys(self, states: Tensor) -> Tensor:
        return self.key(states)

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        hidden = torch.tanh(self.query(queries)[:, :, None, :] + keys[:, None, :, :])
        return self.score(hidden).squeeze(-1)


class DotAttention(Attention):
    """Score q m: nothing to learn, so queries and what is compared with them are of one width."""

    def __init__(self, query: int, memory: int) -> None:
        super().__init__()
        if query != memory:
            raise ValueError(f"a dot product needs a memory as wide as the queries ({query}), got "
                             f"{memory}")

    def keys(self, states: Tensor) -> Tensor:
        return states

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        return queries @ keys.transpose(1, 2)


class GeneralAttention(DotAttention):
    """Score q W m, a bilinear form: the dot product after a linear map into the queries' space."""

    def __init__(self, query: int, memory: int) -> None:
        super().__init__(query, query)
        self.key = nn.Linear(memory, query, bias=False)

    def keys(self, states: Tensor) -> Tensor:
        return self.key(states)


def attention(kind: AttentionKind, query: int, memory: int, hidden: int) -> Attention:
    """Attention of the named kind; `hidden` is the width of the additive score's layer.

    `memory` is the width of the states that `keys` is given; the dot product wants that of `query`.
    """
    if kind == "additive":
        return AdditiveAttention(query, memory, hidden)
    return DotAttention(query, memory) if kind == "dot" else GeneralAttention(query, memory)


class AttentionPooling(nn.Module):
    """One average of a sequence's states, with weights a_t = softmax(u_t . u_l).

    u_t = tanh(W h_t + b), and u_l is a parameter (`learnt`; Yang et al. 2016, "Hierarchical
    Attention Networks for Document Classification") or the u of the sequence's last state
    (`last`), so that what was read last asks the question.
    """

    def __init__(self, memory: int, hidden: int, query: Query) -> None:
        super().__init__()
        self.key = nn.Linear(memory, hidden)
        self.query = nn.Parameter(torch.empty(hidden).uniform_(-1, 1) / hidden**0.5) \
            if query == "learnt" else None

    def forward(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Context [batch, memory] and weights [batch, positions] of `states`.

        Shapes: states [batch, positions, memory], `mask` [batch, positions], true at states that
        exist. These stand before the padding, and each row has one at least.
        """
        keys = torch.tanh(self.key(states))
        if self.query is None:
            last = mask.sum(dim=1) - 1
            rows = torch.arange(len(keys), device=keys.device)
            scores = (keys @ keys[rows, last, :, None]).squeeze(-1)
        else:
            scores = keys @ self.query
        weights = scores.float().masked_fill(~mask, -torch.inf).softmax(dim=-1)
        return (weights.to(states.dtype)[:, None, :] @ states).squeeze(1), weights
