"""Recurrent classifier that answers from an average of all states: attention pooling.

a_t = softmax(u_t . u_l) with u_t = tanh(W h_t + b) (see `pipeline.nn.attention`). The weights say
which steps matter for this sentence, so none has to be carried to the end and nobody has to choose
the weights of a loss.
"""

from typing import Any

import torch
from pydantic import Field
from torch import Tensor

from pipeline.nn.attention import AttentionPooling, Query
from pipeline.tasks.sentence.shared.classifier import Classifier, ClassifierSettings


class Settings(ClassifierSettings):
    attention: int = Field(ge=1, description="dimensions of u")
    query: Query = Field(description="u_l is a parameter, or the u of the last step")


class PooledClassifier(Classifier):
    """The output layer reads the weighted average of the states."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.pooling = AttentionPooling(settings.hidden, settings.attention, settings.query)

    def log_probabilities(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        return self.read(self._pool(tokens, lengths)[0])

    @torch.no_grad()
    def attention_weights(self, sentence: list[int]) -> Tensor:
        """Weights [words] of the steps of a sentence."""
        tokens = torch.tensor([sentence], device=self.device)
        return self._pool(tokens, tokens.new_tensor([len(sentence)]))[1][0]

    def _pool(self, tokens: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Contexts [B, hidden] and weights [B, T]."""
        mask = torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]
        return self.pooling(self.states(tokens), mask)
