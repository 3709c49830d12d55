"""Recurrent sentence classifiers; a system adds where states are read and the loss sits.

Embedded words go through LSTM layers in the order of reading, with dropout masks that stay over
time (Gal and Ghahramani 2016) and dropped recurrent weights (Merity et al. 2018). Nothing is read
from right to left, so a state knows its sentence up to its word and what follows a sentence's end
in a batch changes nothing.
"""

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from pipeline.entries import SystemSettings, TrainingSettings, VariantSettings
from pipeline.nn.dropout import LockedDropout, embedding_with_dropout
from pipeline.nn.rnn import Stack
from pipeline.storage.predictions import Prediction
from pipeline.storage.sequences import Sequences
from pipeline.systems.base import Batch, NeuralSystem
from pipeline.tasks.sentence.shared.answers import answers
from pipeline.tasks.sentence.shared.batching import Sentences


class ClassifierSettings(SystemSettings):
    """Hyper-parameters that all recurrent classifiers have."""

    embedding: int = Field(ge=1)
    hidden: int = Field(ge=1)
    layers: int = Field(ge=1, le=8)
    dropout_words: float = Field(ge=0, lt=1, description="share of word types dropped")
    dropout_input: float = Field(ge=0, lt=1, description="of the embedded words")
    dropout_hidden: float = Field(ge=0, lt=1, description="between layers")
    dropout_output: float = Field(ge=0, lt=1, description="of the last layer's states")
    dropout_weights: float = Field(ge=0, lt=1, description="of the recurrent weights")
    batch_sentences: int = Field(ge=1)
    training: TrainingSettings


class Classifier(NeuralSystem):
    """Everything but the read-out: embedding, layers, the output layer, prediction."""

    settings: ClassifierSettings

    def __init__(self, settings: ClassifierSettings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.embedding = nn.Parameter(torch.empty(len(spec["words"]), settings.embedding))
        nn.init.normal_(self.embedding)
        self.lstm = Stack("lstm", settings.embedding, [settings.hidden] * settings.layers,
                          settings.dropout_hidden, settings.dropout_weights)
        self.input_dropout = LockedDropout(settings.dropout_input)
        self.output_dropout = LockedDropout(settings.dropout_output)
        self.output = nn.Linear(settings.hidden, len(spec["labels"]))

    @abstractmethod
    def log_probabilities(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """The answers [B, labels] to sentences `tokens` [B, T] with `lengths` [B]."""

    def states(self, tokens: Tensor) -> Tensor:
        """States [B, T, hidden] after each of `tokens` [B, T], those of the padding included."""
        embedded = embedding_with_dropout(
            tokens.t(), self.embedding, self.settings.dropout_words if self.training else 0.0)
        states, _ = self.lstm(self.input_dropout(embedded), self.lstm.start(len(tokens)))
        return self.output_dropout(states).transpose(0, 1)

    def read(self, states: Tensor) -> Tensor:
        """Log-probabilities [..., labels] of `states` [..., hidden]."""
        return self.output(states).float().log_softmax(dim=-1)

    def batches(self, data: Path, split: str, seed: int) -> Sentences:
        return Sentences(data, split, self.settings.batch_sentences, seed)

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Negative log-likelihood of the answers in nats; the terms are sentences."""
        found = self.log_probabilities(batch["tokens"], batch["lengths"])
        return functional.nll_loss(found, batch["labels"], reduction="sum"), float(len(found))

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        found = self.alone(self._probabilities, Sequences(data, "test"))
        return answers(np.stack([*found]), self.spec["labels"], data)

    def _probabilities(self, sentence: list[int]) -> NDArray[np.floating]:
        """Of the labels of one sentence, [labels]."""
        tokens = torch.tensor([sentence], device=self.device)
        lengths = tokens.new_tensor([len(sentence)])
        return self.log_probabilities(tokens, lengths)[0].exp().cpu().numpy()


class StepReader(Classifier):
    """A classifier whose output layer reads single states; its answer is that of the last one."""

    def log_probabilities(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        states = self.states(tokens)
        return self.read(states[torch.arange(len(states), device=states.device), lengths - 1])

    @torch.no_grad()
    def answers_along(self, sentence: list[int]) -> Tensor:
        """Log-probabilities [words, labels] after each word of a sentence."""
        return self.read(self.states(torch.tensor([sentence], device=self.device)))[0]
