"""Recognisers that write letters by connectionist temporal classification, whatever their layers.

Graves et al. 2006 ("Connectionist temporal classification: labelling unsegmented sequence data
with recurrent neural networks") and Graves and Jaitly 2014, who write characters and search with
a language model. A network gives each of its steps a distribution over the blank and the symbols;
training sums over all alignments of the transcript, and an answer is the most probable alignment's
string or what a prefix beam search finds.
"""

import sys
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from pipeline.audio.batching import padded
from pipeline.audio.frames import Frames
from pipeline.nn.ctc import BLANK, best_path
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction
from pipeline.storage.words import words_in
from pipeline.systems.base import Batch, NeuralSystem, Run
from pipeline.tasks.asr.shared.batching import Utterances
from pipeline.tasks.asr.shared.hearing import Hearing, NetworkSettings
from pipeline.tasks.asr.shared.letter_search import (
    Greedy,
    LetterVocabulary,
    Searched,
    Variant,
)


class LetterSettings(NetworkSettings):
    """What all networks that write letters have in common."""

    stack: int = Field(ge=1, le=8, description="neighbouring frames that become one step")
    tempo: float = Field(ge=0, lt=0.5, description="largest change of the tempo in training")
    variants: dict[str, Variant] = Field(min_length=1)


class LetterRecogniser(NeuralSystem):
    """Emits log-probabilities of blank and symbols; `vocabulary` is what it knows of text.

    A subclass has layers and says in `logits` what they make of the frames that `hearing` gives.
    """

    settings: LetterSettings

    def __init__(self, settings: LetterSettings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.hearing = Hearing(settings, spec)
        self.vocabulary = LetterVocabulary([], [])

    @abstractmethod
    def logits(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Scores [B, T / stack, 1 + symbols] of blank and symbols, of heard frames [B, T, D].

        `lengths` [B] count frames; those that do not fill the last step are left out.
        """

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probabilities [B, T / stack, 1 + symbols] of `frames` [B, T, D], and their lengths.
        """
        found = self.logits(self.hearing(frames, lengths), lengths)
        return found.float().log_softmax(dim=-1), lengths // self.settings.stack

    def batches(self, data: Path, split: str, seed: int) -> Utterances:
        tempo = self.settings.tempo if split == "train" else 0.0
        found = Utterances(data, split, self.spec["symbols"], self.settings.batch_utterances, seed,
                           tempo)
        found.check_alignable(self.settings.stack)
        return found

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Negative log-likelihood in nats of the transcripts; the terms are their characters."""
        emissions, lengths = self(batch["frames"], batch["lengths"])
        total = functional.ctc_loss(emissions.transpose(0, 1), batch["targets"], lengths,
                                    batch["target_lengths"], blank=BLANK, reduction="sum")
        return total, float(batch["target_lengths"].sum())

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        self.vocabulary = LetterVocabulary.of(data, self.spec, self.settings.variants)
        curve = super().fit(data, run)
        searched = {name: self.vocabulary.search(variant, self.spec["symbols"])
                    for name, variant in self.settings.variants.items()
                    if isinstance(variant, Searched)}
        if searched:
            texts = [item["text"] for item in read_json(data / "valid.items.json")]
            heard = list(self.alone(self._heard, Frames(data, "valid")))
            self.vocabulary.tried = {name: search.tried(heard, texts)
                                     for name, search in searched.items()}
        return curve

    def predict(self, data: Path, variant: Greedy | Searched) -> Iterator[Prediction]:
        """The hypothesis of an utterance that has less than a step of frames is empty, as CTC's
        text of no steps is; a line on standard error names it.
        """
        frames = Frames(data, "test")
        items = read_json(data / "test.items.json")
        self._name_short(frames, items)
        answers = self._answers(variant, self.alone(self._heard, frames))
        for item, answer in zip(items, answers, strict=True):
            yield {"id": item["id"], **answer}

    def _heard(self, utterance: np.ndarray) -> np.ndarray:
        """Emissions [steps, 1 + symbols] of one utterance of any length."""
        if len(utterance) < self.settings.stack:
            return np.empty((0, 1 + len(self.spec["symbols"])), np.float32)
        return self.emissions([utterance])[0]

    def _name_short(self, frames: Frames, items: list[dict[str, Any]]) -> None:
        for item, length in zip(items, frames.lengths.tolist(), strict=True):
            if length < self.settings.stack:
                print(f"warning: {item['id']} is too short: {length} frames, and "
                      f"{self.settings.stack} are heard at once; its hypothesis is empty",
                      file=sys.stderr)

    def _answers(self, variant: Greedy | Searched,
                 utterances: Iterator[np.ndarray]) -> Iterator[dict[str, Any]]:
        """From utterances' emissions to their answers.

        A beam search takes them together, for it is many times as fast in company.
        """
        if not isinstance(variant, Searched):
            for emissions in utterances:
                yield {"hypothesis": " ".join(words_in(self.text(best_path(emissions))))}
            return
        name = next(name for name, known in self.settings.variants.items() if known == variant)
        search = self.vocabulary.search(variant, self.spec["symbols"])
        model = search.model.weighted(*self.vocabulary.weights(name))
        yield from search.answers(list(utterances), model)

    @torch.no_grad()
    def emissions(self, utterances: list[np.ndarray]) -> list[np.ndarray]:
        """Log-probabilities [frames / stack, 1 + symbols] of each utterance [frames, D]."""
        batch = self.here(padded(utterances))
        found, lengths = self(batch["frames"], batch["lengths"])
        return [rows[:length].cpu().numpy()
                for rows, length in zip(found, lengths.tolist(), strict=True)]

    def text(self, symbols: list[int]) -> str:
        return "".join(self.spec["symbols"][symbol - 1] for symbol in symbols)

    def texts(self) -> Mapping[str, Any]:
        """The transcripts and words that language models are made of, and how they are weighed."""
        return self.vocabulary.texts()

    def load_texts(self, texts: Mapping[str, Any]) -> None:
        self.vocabulary = LetterVocabulary.restored(texts)


def stacked(frames: Tensor, stack: int) -> Tensor:
    """Each `stack` neighbouring frames of [B, T, D] as one, [B, T / stack, stack D].

    It shortens the sequence and makes CTC both faster and better (Sak et al. 2015).
    """
    batch, duration, dimension = frames.shape
    steps = duration // stack
    return frames[:, : steps * stack].reshape(batch, steps, stack * dimension)
