"""Multi-layer perceptron that tags each word by itself, from its embedding alone.

The first model of the lecture on recurrent networks: a series as a series of separate inputs. A
word has the same tag wherever it stands, so what a recurrent tagger does better it owes to the
other words of the sentence. Unknown words share one embedding, which is trained as the
bidirectional tagger's is: in training a word becomes the unknown word with probability
a / (a + its count).
"""

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
from pipeline.nn.dropout import FreshDropout
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Batch, NeuralSystem
from pipeline.tasks.tagging.shared.answers import by_sentence
from pipeline.tasks.tagging.shared.batching import SentenceBatches
from pipeline.tasks.tagging.shared.tagger import Tagger
from pipeline.tasks.tagging.shared.text import NO_TAG, Text
from pipeline.tasks.tagging.shared.vocabulary import UNKNOWN, Vocabulary


class Settings(SystemSettings):
    """A perceptron entry of `systems`."""

    embedding: int = Field(ge=1)
    hidden: int = Field(ge=1, description="units of the one hidden layer")
    dropout: float = Field(ge=0, lt=1, description="of the embedding and of the hidden units")
    word_dropout: float = Field(
        ge=0, description="a: in training a word is unknown with probability a / (a + its count)")
    batch_sentences: int = Field(ge=1)
    training: TrainingSettings


class StepPerceptronTagger(NeuralSystem, Tagger):
    """Scores of each tag for a word, whatever stands beside it."""

    settings: Settings
    keep: Tensor

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.vocabulary = Vocabulary(spec)
        self.embedding = nn.Embedding(self.vocabulary.words, settings.embedding)
        nn.init.normal_(self.embedding.weight, std=settings.embedding ** -0.5)
        self.hidden = nn.Linear(settings.embedding, settings.hidden)
        self.output = nn.Linear(settings.hidden, len(spec["tags"]))
        self.dropout = FreshDropout(settings.dropout)
        counts = self.vocabulary.counts
        keep = counts / (counts + max(settings.word_dropout, 1e-9))
        self.register_buffer("keep", torch.from_numpy(keep), persistent=False)

    def forward(self, words: Tensor) -> Tensor:
        """Scores [..., tags] of `words` [...], numbers of the vocabulary."""
        if self.training and self.settings.word_dropout:
            keep = self.keep[words]
            words = words.masked_fill(torch.rand_like(keep) >= keep, UNKNOWN)
        inputs = self.dropout(self.embedding(words))
        return self.output(self.dropout(self.hidden(inputs).relu())).float()

    def batches(self, data: Path, split: str, seed: int) -> SentenceBatches:
        return SentenceBatches(Text.read(data, split), self.vocabulary,
                               self.settings.batch_sentences, seed)

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Cross-entropy of the tags in nats; the terms are words with a tag that training saw."""
        scored = batch["mask"] & (batch["tags"] != NO_TAG)
        total = functional.cross_entropy(self(batch["words"][scored]), batch["tags"][scored],
                                         reduction="sum")
        return total, float(scored.sum())

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        text = Text.read(data, "test")
        numbers = self.vocabulary.numbers(text.forms)
        tags = np.array([*self.alone(self._tag, numbers.tolist())], np.int64)
        found: NDArray[np.int64] = tags[text.words]
        return by_sentence(found, text, self.spec["tags"], data)

    def _tag(self, word: int) -> int:
        """Of a number of the vocabulary, the most probable tag."""
        return int(self(torch.tensor([word], device=self.device)).argmax())
