"""Networks that say what a picture shows: training loss and search; a system adds its decoder.

Encoder and decoder are trained together from nothing but pictures and sentences, with teacher
forcing. A system differs from another in when its decoder sees the picture.
"""

from abc import abstractmethod
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from pipeline.entries import SystemSettings, TrainingSettings, VariantSettings
from pipeline.nn.beam import beam_search
from pipeline.nn.cells import Cell, State
from pipeline.nn.dropout import FreshDropout
from pipeline.nn.seq2seq import BeamScorer, Memory
from pipeline.storage.arrays import read_array
from pipeline.storage.cut_answers import cut_at
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Batch, NeuralSystem
from pipeline.tasks.caption.shared.batching import PictureBatches
from pipeline.tasks.caption.shared.encoder import Encoder
from pipeline.tasks.caption.shared.words import BOS, EOS, PAD, UNK


class Variant(VariantSettings):
    """A way to search for the sentence; a beam of 1 is greedy search."""

    beam: int = Field(ge=1, le=100)
    length_normalisation: float = Field(ge=0, le=2, description="exponent of the length")


class CaptionerSettings(SystemSettings):
    """Hyper-parameters that all captioning networks have."""

    channels: list[int] = Field(min_length=1, description="of each convolution")
    halvings: int = Field(ge=0, description="convolutions that halve the picture")
    cell: Cell
    embedding: int = Field(ge=1)
    hidden: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1, description="of embedded words and of what words are "
                                                   "chosen from")
    longest: int = Field(ge=1, description="words of the longest sentence that is said")
    batch_pictures: int = Field(ge=2)
    training: TrainingSettings
    variants: dict[str, Variant] = Field(min_length=1)


class Captioner(NeuralSystem):
    """Everything but the way from a picture to the states: encoder, embedding, loss and search."""

    settings: CaptionerSettings

    def __init__(self, settings: CaptionerSettings, spec: dict[str, Any], read: int) -> None:
        """`read`: dimensions of what words are chosen from."""
        super().__init__(settings, spec)
        self.encoder = Encoder(settings.channels, settings.halvings)
        self.embedding = nn.Embedding(len(spec["words"]), settings.embedding)
        self.output = nn.Linear(read, len(spec["words"]))
        self.dropout = FreshDropout(settings.dropout)

    @abstractmethod
    def remember(self, places: Tensor) -> Memory:
        """What is kept of the encoder's map [B, places, channels], whose places are positions."""

    @abstractmethod
    def start(self, memory: Memory) -> State:
        """The state before the first word, tensors [B, hidden]."""

    @abstractmethod
    def states(self, embedded: Tensor, memory: Memory,
               state: State) -> tuple[Tensor, State, Tensor | None]:
        """Run over `embedded` [N, T, embedding]; rows as in `pipeline.nn.seq2seq.Contexts`.

        Returns what words are chosen from, [N, T, read], the state after T and, where there is
        attention, its weights [N, T, places].
        """

    def batches(self, data: Path, split: str, seed: int) -> PictureBatches:
        return PictureBatches(data, split, self.settings.batch_pictures, seed)

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Cross-entropy in nats of the words, the end of each sentence included."""
        memory = self.remember(self.encoder(batch["pictures"])).select(batch["of"])
        read, _, _ = self.states(self.embed(batch["inputs"]), memory, self.start(memory))
        real = batch["targets"] != PAD
        logits = self.output(self.dropout(read[real])).float()
        targets = batch["targets"][real]
        return functional.cross_entropy(logits, targets, reduction="sum"), float(len(targets))

    def embed(self, words: Tensor) -> Tensor:
        return self.dropout(self.embedding(words))

    @torch.no_grad()
    def describe(self, pictures: Tensor, variant: Variant) -> list[list[int]]:
        """Words, without EOS, about uint8 `pictures` [B, side, side, 3]."""
        memory = self.remember(self.encoder(pictures))
        scorer = BeamScorer(self.advance, memory, self.start(memory), variant.beam)
        limits = torch.full((len(pictures),), self.settings.longest, device=self.device)
        return beam_search(scorer, limits, variant.beam, variant.length_normalisation,
                           begin=BOS, end=EOS)

    def advance(self, words: Tensor, memory: Memory, state: State) -> tuple[Tensor, State]:
        """One step of search; see `pipeline.nn.seq2seq.Step`."""
        read, state, _ = self.states(self.embed(words[:, None]), memory, state)
        return self.log_probabilities(read[:, 0]), state

    def log_probabilities(self, read: Tensor) -> Tensor:
        """Of the next word; PAD, BOS and UNK are never said."""
        logits = self.output(read).float()
        logits[..., [PAD, BOS, UNK]] = -torch.inf
        return logits.log_softmax(dim=-1)

    @torch.no_grad()
    def attention_weights(self, picture: Tensor, words: list[int]) -> Tensor | None:
        """Weights [words, places] while each of `words` is said of a picture [side, side, 3]."""
        memory = self.remember(self.encoder(picture[None]))
        inputs = torch.tensor([[BOS, *words[:-1]]], device=self.device)
        weights = self.states(self.embed(inputs), memory, self.start(memory))[2]
        return None if weights is None else weights[0]

    def predict(self, data: Path, variant: Variant) -> Iterator[Prediction]:
        pictures: NDArray[np.uint8] = read_array(data / "test.pictures.npy")
        said = self.alone(partial(self._said, variant), pictures)
        for item, answer in zip(read_json(data / "items.json"), said, strict=True):
            yield {"id": item["id"], **answer}

    def _said(self, variant: Variant, picture: NDArray[np.uint8]) -> Prediction:
        """The sentence about one picture [side, side, 3], and whether it was cut."""
        (shown,) = self.from_arrays(np.array(picture)[None])
        (words,) = self.describe(shown, variant)
        return {"sentence": " ".join(self.spec["words"][word] for word in words),
                **cut_at(self.settings.longest, len(words))}
