"""Encoder-decoder networks: training loss and translation; a system adds where contexts come from.

Trained with teacher forcing or scheduled sampling and with label smoothing (Szegedy et al. 2016).
The target's embedding is also the output layer (Press and Wolf 2017), and with one vocabulary for
both languages the source's embedding too.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from pipeline.entries import SystemSettings, TrainingSettings, VariantSettings
from pipeline.nn.beam import beam_search
from pipeline.nn.cells import Cell, State
from pipeline.nn.containers import module_dict
from pipeline.nn.scheduled_sampling import sampled_inputs
from pipeline.nn.seq2seq import BeamScorer, Contexts, Memory
from pipeline.nn.softmax import linear_cross_entropy
from pipeline.storage.cut_answers import cut_at
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction
from pipeline.storage.sequences import Sequences
from pipeline.systems.base import Batch, NeuralSystem
from pipeline.tasks.translation.shared.batching import PairBatches
from pipeline.tasks.translation.shared.decoder import Decoder
from pipeline.tasks.translation.shared.encoder import Encoder
from pipeline.tasks.translation.shared.schedule import ALWAYS, TruthSchedule
from pipeline.tasks.translation.shared.tokenizer import BOS, EOS, PAD, UNK
from pipeline.tasks.translation.shared.unknown import AnswerWriter


class Variant(VariantSettings):
    """A way to search for the translation; a beam of 1 is greedy search."""

    beam: int = Field(ge=1, le=1000)
    length_normalisation: float = Field(ge=0, le=2, description="exponent of the length")
    unknown: Literal["never", "keep", "copy"] = Field(
        "never", description="UNK in a translation: never chosen, written as <unk>, or replaced by "
                             "the source word with the highest attention")


class TranslatorSettings(SystemSettings):
    """Hyper-parameters that all encoder-decoder networks have."""

    cell: Cell
    embedding: int = Field(ge=1)
    hidden: int = Field(ge=1)
    encoder_layers: int = Field(ge=1, le=8)
    dropout: float = Field(ge=0, lt=1)
    word_dropout: float = Field(ge=0, lt=1, description="share of words hidden in training")
    label_smoothing: float = Field(ge=0, lt=1)
    teacher_forcing: TruthSchedule = Field(
        ALWAYS, description="probability that the decoder reads the correct word in training")
    batch_tokens: int = Field(ge=1, description="sentences times longest, padding included")
    training: TrainingSettings
    variants: dict[str, Variant] = Field(min_length=1)


class Translator(NeuralSystem):
    """Everything but the contexts: embeddings, encoder, decoder, loss and search.

    `contexts` are what the decoder finds in the encoded sentence, of `context` dimensions.
    """

    settings: TranslatorSettings

    def __init__(self, settings: TranslatorSettings, spec: dict[str, Any], contexts: Contexts,
                 context: int) -> None:
        super().__init__(settings, spec)
        width = settings.embedding
        self.source_side = "target" if spec["joint"] else "source"
        self.embeddings = module_dict({
            side: _embedding(spec[f"{side}_vocabulary"], width)
            for side in dict.fromkeys(["target", self.source_side])})
        self.output_bias = nn.Parameter(torch.zeros(spec["target_vocabulary"]))
        self.encoder = Encoder(settings.cell, width, settings.hidden, settings.encoder_layers,
                               settings.dropout)
        self.decoder = Decoder(settings.cell, width, settings.hidden, contexts, context,
                               settings.dropout)

    def remember(self, memory: Memory) -> Memory:
        """Add to an encoded memory what `contexts` needs and no query changes."""
        return memory

    def batches(self, data: Path, split: str, seed: int) -> PairBatches:
        return PairBatches(data, split, self.settings.batch_tokens, seed)

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Cross-entropy in nats of the target tokens, smoothed in training only."""
        memory = self.encode(batch["source"], batch["source_lengths"])
        readouts, _, _ = self.decode(self._inputs(batch, memory), memory,
                                     self.decoder.start(memory))
        real = batch["targets"] != PAD
        readouts, targets = readouts[real], batch["targets"][real]
        total = linear_cross_entropy(readouts, self.embeddings["target"].weight, self.output_bias,
                                     targets)
        if self.training:
            total = total + self.settings.label_smoothing * self._advantage(readouts, targets)
        return total, float(len(targets))

    def _inputs(self, batch: Batch, memory: Memory) -> Tensor:
        """What the decoder reads: the correct words, in training perhaps some of its own."""
        schedule = self.settings.teacher_forcing
        if not self.training or schedule == ALWAYS:
            return batch["inputs"]
        scorer = BeamScorer(self.advance, memory, self.decoder.start(memory), beam=1)
        return sampled_inputs(batch["inputs"], schedule.probability(batch["epochs"]),
                              lambda tokens: scorer.advance(tokens[:, None])[:, 0])

    def _advantage(self, readouts: Tensor, targets: Tensor) -> Tensor:
        """Sum over targets of the target's logit less the mean logit of all tokens.

        The loss against targets smoothed by e is cross-entropy plus e times this, since both sides
        have the same normaliser; the mean logit is that of the mean embedding.
        """
        weight, bias = self.embeddings["target"].weight, self.output_bias
        directions = weight[targets] - weight.mean(dim=0)
        return (readouts * directions).sum() + (bias[targets] - bias.mean()).sum()

    @torch.no_grad()
    def attention_weights(self, source: Tensor, lengths: Tensor,
                          targets: list[list[int]]) -> Tensor | None:
        """Weights [B, T, S] while each of `targets` (the longest has T) is made of its source."""
        longest = max(map(len, targets))
        inputs = torch.tensor([[BOS, *target, *[PAD] * (longest - len(target))]
                               for target in targets], device=self.device)[:, :longest]
        memory = self.encode(source, lengths)
        return self.decode(inputs, memory, self.decoder.start(memory))[2]

    @torch.no_grad()
    def translate(self, source: Tensor, lengths: Tensor, variant: Variant) -> list[list[int]]:
        """Target tokens, without EOS, of padded `source` [B, S] with `lengths` [B].

        A translation has at most as many tokens as `longest` says.
        """
        memory = self.encode(source, lengths)
        scorer = BeamScorer(partial(self.advance, unknown=variant.unknown != "never"), memory,
                            self.decoder.start(memory), variant.beam)
        return beam_search(scorer, longest(lengths), variant.beam, variant.length_normalisation,
                           begin=BOS, end=EOS)

    def predict(self, data: Path, variant: Variant) -> Iterator[Prediction]:
        sources = Sequences(data, "source")
        items = read_json(data / "items.json")
        writer = AnswerWriter(self.artefacts, [item["source"] for item in items],
                              self.attention_weights if variant.unknown == "copy" else None)
        translated = self.alone(partial(self._translated, sources, writer, variant),
                                range(len(sources)))
        for item, answer in zip(items, translated, strict=True):
            yield {"id": item["id"], **answer}

    def _translated(self, sources: Sequences, writer: AnswerWriter, variant: Variant,
                    item: int) -> Prediction:
        """The translation of one of the sources, and whether it was cut."""
        numbers = np.array([item])
        tokens, lengths = self.from_arrays(*sources.padded(numbers, PAD))
        found = self.translate(tokens, lengths, variant)
        (text,) = writer.texts(numbers, tokens, lengths, found)
        return {"hypothesis": text, **cut_at(int(longest(lengths)), len(found[0]))}

    def encode(self, source: Tensor, lengths: Tensor) -> Memory:
        embedded = self.embeddings[self.source_side](self._hide_words(source))
        return self.remember(self.encoder(embedded, lengths))

    def decode(self, tokens: Tensor, memory: Memory,
               state: State) -> tuple[Tensor, State, Tensor | None]:
        """Readouts of `tokens` [N, T]; see `Decoder.forward`."""
        embedded = self.embeddings["target"](self._hide_words(tokens))
        return self.decoder(embedded, memory, state)

    def advance(self, tokens: Tensor, memory: Memory, state: State,
                unknown: bool = False) -> tuple[Tensor, State]:
        """One step of search; see `pipeline.nn.seq2seq.Step` and `log_probabilities`."""
        readouts, state, _ = self.decode(tokens[:, None], memory, state)
        return self.log_probabilities(readouts[:, 0], unknown), state

    def log_probabilities(self, readouts: Tensor, unknown: bool = False) -> Tensor:
        """Of the next token; PAD, BOS and, if not `unknown`, UNK are no tokens of a translation."""
        logits = functional.linear(readouts, self.embeddings["target"].weight,
                                   self.output_bias).float()
        logits[..., [PAD, BOS] if unknown else [PAD, BOS, UNK]] = -torch.inf
        return logits.log_softmax(dim=-1)

    def _hide_words(self, tokens: Tensor) -> Tensor:
        """In training, some words become UNK, so that none is relied on alone."""
        if not self.training or not self.settings.word_dropout:
            return tokens
        hidden = torch.rand(tokens.shape, device=tokens.device) < self.settings.word_dropout
        return tokens.masked_fill(hidden & (tokens > UNK), UNK)


def longest(lengths: Tensor) -> Tensor:
    """Tokens of the longest translation of sources of `lengths`: twice as many, and ten more."""
    return 2 * lengths + 10


def _embedding(words: int, width: int) -> nn.Embedding:
    """Small enough that as output layer it starts with an almost even distribution."""
    embedding = nn.Embedding(words, width, padding_idx=PAD)
    nn.init.normal_(embedding.weight, std=width**-0.5)
    with torch.no_grad():
        embedding.weight[PAD].zero_()
    return embedding
