"""Location-aware attention: where to look next depends on where one has looked before.

Chorowski et al. 2015 ("Attention-Based Models for Speech Recognition"), section 2.1. The score of
position j is v tanh(W q + V h_j + U f_j), where the features f_j of a position are filters laid
over the weights of the query before, around j. So a decoder learns to go on by a few positions,
and tells apart two places that sound alike, which a score of the content alone cannot.

Before the first query all weight is on the first position: one begins to read at the beginning.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.nn.cells import State
from pipeline.nn.seq2seq import Contexts, Memory


class LocationContexts(Contexts):
    """Averages of a memory's states, whose keys are `keys` of them; carries the last weights.

    `filters` filters, each as wide as 2 `reach` + 1 positions, see the last weights.
    """

    def __init__(self, query: int, memory: int, hidden: int, filters: int, reach: int) -> None:
        """`query` and `memory` are the widths of queries and states, `hidden` the score's."""
        super().__init__()
        self.query = nn.Linear(query, hidden)
        self.key = nn.Linear(memory, hidden, bias=False)
        self.filters = nn.Linear(2 * reach + 1, filters, bias=False)
        self.place = nn.Linear(filters, hidden, bias=False)
        self.score = nn.Linear(hidden, 1, bias=False)

    def keys(self, states: Tensor) -> Tensor:
        """V h, [B, positions, hidden], of the memory's `states` [B, positions, memory]."""
        return self.key(states)

    def start(self, memory: Memory) -> State:
        """Weights [B, positions] that are all on the first."""
        weights = torch.zeros(memory.mask.shape, dtype=torch.float32, device=memory.mask.device)
        weights[:, 0] = 1.0
        return (weights,)

    def forward(self, queries: Tensor, memory: Memory,
                carried: State) -> tuple[Tensor, Tensor, State]:
        """See `Contexts`; positions that do not exist have exactly no weight."""
        (weights,) = carried
        steps = []
        for query in self.query(queries).unbind(1):
            weights = self._weights(query, memory, weights)
            steps.append(weights)
        looked = torch.stack(steps, dim=1)
        asked = looked.reshape(len(memory), -1, looked.shape[-1])
        contexts = asked.to(memory.states.dtype) @ memory.states
        return contexts.reshape(*looked.shape[:2], -1), looked, (weights,)

    def _weights(self, query: Tensor, memory: Memory, last: Tensor) -> Tensor:
        """Weights [N, positions] of the mapped `query` [N, hidden], after those of the `last`.

        The last weights are zero in the padding, as the filters' own padding is, so it makes no
        difference how many positions stand behind an input.
        """
        assert memory.keys is not None
        inputs = len(memory)
        # Filters as one product: torch's convolution takes several times as long for so few.
        reach = self.filters.weight.shape[-1] // 2
        around = functional.pad(last, (reach, reach)).unfold(1, 2 * reach + 1, 1)
        places = self.place(self.filters(around.to(query.dtype)))
        added = places + query[:, None, :]
        hidden = torch.tanh(added.reshape(inputs, -1, *added.shape[1:]) + memory.keys[:, None])
        scores = self.score(hidden).squeeze(-1).float()
        return scores.masked_fill(~memory.mask[:, None], -torch.inf).softmax(-1).flatten(0, 1)
