"""Bidirectional LSTM tagger, with letters and a conditional random field where settings say so.

Each word's embedding goes through LSTMs in both directions, so that its tag may depend on the
whole sentence. With `letter_hidden` a second, small bidirectional LSTM reads the word's letters and
its two last states join the embedding: an unknown word still has an ending and a capital (Ling et
al. 2015; Lample et al. 2016). With `output: crf` the tags of a sentence are one path of a linear
chain instead of one softmax each (Huang, Xu and Yu 2015). In training a word becomes the unknown
word with probability a / (a + its count): what is seen once stands for what is never seen.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from pipeline.entries import SystemSettings, TrainingSettings, VariantSettings
from pipeline.nn.crf import LinearChainCRF
from pipeline.nn.dropout import FreshDropout
from pipeline.nn.rnn import BidirectionalStack, ends
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Batch, NeuralSystem
from pipeline.tasks.tagging.shared.answers import by_sentence
from pipeline.tasks.tagging.shared.batching import SentenceBatches
from pipeline.tasks.tagging.shared.tagger import Tagger
from pipeline.tasks.tagging.shared.text import NO_TAG, Text
from pipeline.tasks.tagging.shared.vocabulary import UNKNOWN, Vocabulary


class Settings(SystemSettings):
    """A bidirectional LSTM entry of `systems`."""

    embedding: int = Field(ge=1)
    letter_embedding: int = Field(ge=1)
    letter_hidden: int = Field(ge=0, description="units a direction over letters; 0: no letters")
    hidden: int = Field(ge=1, description="units a direction")
    layers: int = Field(ge=1, le=4)
    output: Literal["softmax", "crf"]
    dropout: float = Field(ge=0, lt=1, description="of all layers' inputs and the last outputs")
    word_dropout: float = Field(
        ge=0, description="a: in training a word is unknown with probability a / (a + its count)")
    batch_sentences: int = Field(ge=1)
    training: TrainingSettings


class BilstmTagger(NeuralSystem, Tagger):
    """Scores of each tag at each word, and one or many decisions."""

    settings: Settings
    keep: Tensor

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.vocabulary = Vocabulary(spec)
        self.embedding = _embedding(self.vocabulary.words, settings.embedding)
        width = settings.embedding + 2 * settings.letter_hidden
        if settings.letter_hidden:
            self.letter_embedding = _embedding(self.vocabulary.letters, settings.letter_embedding)
            self.letter_lstm = BidirectionalStack("lstm", settings.letter_embedding,
                                                  [settings.letter_hidden], 0.0)
        self.lstm = BidirectionalStack("lstm", width, [settings.hidden] * settings.layers,
                                       settings.dropout)
        self.dropout = FreshDropout(settings.dropout)
        self.output = nn.Linear(2 * settings.hidden, len(spec["tags"]))
        self.crf = LinearChainCRF(len(spec["tags"])) if settings.output == "crf" else None
        keep = self.vocabulary.counts / (self.vocabulary.counts + max(settings.word_dropout, 1e-9))
        self.register_buffer("keep", torch.from_numpy(keep), persistent=False)

    def forward(self, batch: Batch) -> Tensor:
        """Scores [B, T, tags]; with softmax they are logits, with a CRF its emissions."""
        words = batch["words"]
        if self.training and self.settings.word_dropout:
            words = words.masked_fill(torch.rand_like(self.keep[words]) >= self.keep[words],
                                      UNKNOWN)
        inputs = self.embedding(words)
        if self.settings.letter_hidden:
            letters = self.letter_embedding(batch["letters"]).transpose(0, 1)
            spelt = ends(self.letter_lstm(letters, batch["letter_counts"]),
                         batch["letter_counts"])
            inputs = torch.cat([inputs, functional.embedding(batch["forms"], spelt)], dim=-1)
        states = self.lstm(self.dropout(inputs).transpose(0, 1), batch["mask"].sum(1))
        return self.output(self.dropout(states)).transpose(0, 1).float()

    def batches(self, data: Path, split: str, seed: int) -> SentenceBatches:
        return SentenceBatches(Text.read(data, split), self.vocabulary,
                               self.settings.batch_sentences, seed)

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Negative log-likelihood in nats of the tags; the terms are words.

        A word whose tag training never saw is left out, under a CRF its whole sentence.
        """
        scores, tags, mask = self(batch), batch["tags"], batch["mask"]
        if self.crf is None:
            scored = mask & (tags != NO_TAG)
            total = functional.cross_entropy(scores[scored], tags[scored], reduction="sum")
            return total, float(scored.sum())
        whole = ((tags != NO_TAG) | ~mask).all(1)
        if not whole.any():
            return scores.sum() * 0.0, 0.0
        return (self.crf.loss(scores[whole], tags[whole], mask[whole]).sum(),
                float(mask[whole].sum()))

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        text = Text.read(data, "test")
        return by_sentence(self.tag(text), text, self.spec["tags"], data)

    def tag(self, text: Text) -> NDArray[np.int64]:
        """Tags [all words]: the most probable one of each word, or of each sentence's paths."""
        batches = SentenceBatches(text, self.vocabulary, 1, seed=0)
        sentences = np.flatnonzero(text.lengths)
        tags = [*self.alone(self._tags, (batches.load(np.array([item])) for item in sentences))]
        return np.concatenate([np.zeros(0, np.int64), *tags])

    def _tags(self, sentence: Batch) -> NDArray[np.int64]:
        """Of the words of a batch of one sentence."""
        batch = self.here(sentence)
        scores = self(batch)
        tags = (scores.argmax(-1) if self.crf is None
                else self.crf.decode(scores, batch["mask"])[0])
        return tags[0].cpu().numpy()

    def transition_scores(self) -> tuple[str, NDArray[np.float64]] | None:
        return None if self.crf is None else ("score", self.crf.table())


def _embedding(rows: int, width: int) -> nn.Embedding:
    """Entries of variance 1 / width, so that a vector has length 1 whatever its width."""
    embedding = nn.Embedding(rows, width)
    bound = (3 / width) ** 0.5
    nn.init.uniform_(embedding.weight, -bound, bound)
    return embedding
