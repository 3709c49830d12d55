"""Time-delay network: a feed-forward language model over the last N units.

Bengio et al. 2003, "A neural probabilistic language model": each of the N units is projected by
one shared matrix, the projections stand side by side, and above them are a tanh layer and a
softmax over the vocabulary. Like an n-gram it sees N units and nothing before them; unlike one it
knows that words with like projections behave alike.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from pipeline.entries import SystemSettings, TrainingSettings, VariantSettings
from pipeline.nn.dropout import FreshDropout
from pipeline.nn.softmax import linear_cross_entropy
from pipeline.systems.base import Batch
from pipeline.tasks.language_model.shared.contexts import Contexts, padded
from pipeline.tasks.language_model.shared.model import LanguageModel
from pipeline.tasks.language_model.shared.stream import Stream

_POSITIONS_AT_ONCE = 1024


class Settings(SystemSettings):
    """A time-delay entry of `systems`."""

    context: int = Field(ge=1, le=50, description="units that the network sees")
    embedding: int = Field(ge=1, description="width of a unit's projection")
    hidden: int = Field(ge=1, description="width of the tanh layer")
    dropout: float = Field(ge=0, lt=1, description="of the projections and of the tanh layer")
    batch_positions: int = Field(ge=1, description="positions of the text in a batch")
    training: TrainingSettings


class TimeDelayLanguageModel(LanguageModel):
    """p(next unit | the last `context` units), shape by shape as in the paper."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.embedding = nn.Embedding(self.types, settings.embedding)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        self.hidden = nn.Linear(settings.context * settings.embedding, settings.hidden)
        self.output = nn.Linear(settings.hidden, self.types)
        nn.init.zeros_(self.output.bias)
        self.dropout = FreshDropout(settings.dropout)

    def forward(self, contexts: Tensor) -> Tensor:
        """States [batch, hidden] of the tanh layer after `contexts` [batch, context]."""
        projected = self.dropout(self.embedding(contexts).flatten(1))
        return self.dropout(torch.tanh(self.hidden(projected)))

    def batches(self, data: Path, split: str, seed: int) -> Contexts:
        return Contexts(Stream.read(data, split).tokens, self.end, self.settings.context,
                        self.settings.batch_positions, seed, shuffle=split == "train")

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Negative log-likelihood in nats of the targets; the terms are tokens."""
        total = linear_cross_entropy(self(batch["contexts"]), self.output.weight,
                                     self.output.bias, batch["targets"])
        return total, float(len(batch["targets"]))

    def begin(self, count: int) -> Tensor:
        return torch.full((self.settings.context, count), self.end, device=self.device)

    def advance(self, tokens: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """The state is the last `context` units, [context, count]."""
        seen = torch.cat([state, tokens])[-self.settings.context :]
        return self.output(self(seen.T)), seen

    @torch.no_grad()
    def token_losses(self, tokens: NDArray[np.integer], variant: VariantSettings | None = None,
                     positions: int = _POSITIONS_AT_ONCE) -> NDArray[np.float64]:
        """Nats of each of `tokens`; `positions` are read at once, which changes no value.

        Ends fill the last positions, because how many there are decides how each is rounded.
        """
        self.eval()
        behind = np.full(-len(tokens) % positions, self.end)
        text = padded(np.concatenate([tokens, behind]), self.end, self.settings.context)
        text = text.to(self.device)
        contexts = text.unfold(0, self.settings.context, 1)[:-1]
        targets = text[self.settings.context :]
        losses = [functional.cross_entropy(self.output(self(before)), following, reduction="none")
                  for before, following in zip(contexts.split(positions),
                                               targets.split(positions), strict=True)]
        return torch.cat(losses)[: len(tokens)].double().cpu().numpy()
