"""Recognisers that write letters by connectionist temporal classification, whatever their layers.

Graves et al. 2006 ("Connectionist temporal classification: labelling unsegmented sequence data
with recurrent neural networks") and Graves and Jaitly 2014, who write characters and search with
a language model. A network gives each of its steps a distribution over the blank and the symbols;
training sums over all alignments of the transcript, and an answer is the most probable alignment's
string or what a prefix beam search finds. One validation utterance is followed through training:
what all its alignments and the best of them cost after each epoch, and where symbols stand.
"""

import sys
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from pipeline.audio.batching import padded
from pipeline.audio.frames import Frames
from pipeline.errors import UserError
from pipeline.nn.ctc import BLANK, best_path
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction
from pipeline.storage.words import words_in
from pipeline.systems.base import Batch, NeuralSystem, Run
from pipeline.systems.resume import latest
from pipeline.tasks.asr.shared.batching import Utterances, UtteranceSettings
from pipeline.tasks.asr.shared.followed import Followed
from pipeline.tasks.asr.shared.hearing import Hearing
from pipeline.tasks.asr.shared.letter_search import (
    Greedy,
    LetterVocabulary,
    Searched,
    Variant,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class LetterSettings(UtteranceSettings):
    """What all networks that write letters have in common."""

    stack: int = Field(ge=1, le=8, description="neighbouring frames that become one step")
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
        self.followed: Followed | None = None
        self._heard_of_followed: tuple[np.ndarray, list[int]] | None = None

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
        learning = split == "train"
        found = Utterances(data, split, self.spec["symbols"], self.settings.batch_utterances, seed,
                           self.settings.tempo if learning else 0.0,
                           self.settings.training_share if learning else 1.0)
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
        self._follow(data)
        curve = super().fit(data, run)
        self._know_all_epochs(len(curve), run)
        searched = {name: self.vocabulary.search(variant, self.spec["symbols"])
                    for name, variant in self.settings.variants.items()
                    if isinstance(variant, Searched)}
        if searched:
            texts = [item["text"] for item in read_json(data / "valid.items.json")]
            heard = list(self.alone(self._heard, Frames(data, "valid")))
            self.vocabulary.tried = {name: search.tried(heard, texts)
                                     for name, search in searched.items()}
        return curve

    def _follow(self, data: Path) -> None:
        """Choose the validation utterance that is followed, and keep what is heard of it."""
        frames = Frames(data, "valid")
        self.followed = Followed.middle(read_json(data / "valid.items.json"), frames.lengths,
                                        self.settings.stack)
        if self.followed is not None:
            letters = [1 + self.spec["symbols"].index(letter) for letter in self.followed.text]
            self._heard_of_followed = frames[self.followed.place], letters

    def begin_epoch(self, training: bool) -> None:
        """Before validation, which is after an epoch's training: see what is followed.

        Nothing is drawn and nothing learnt here, so a training is what it would be without.
        """
        if training or self.followed is None or self._heard_of_followed is None:
            return
        utterance, letters = self._heard_of_followed
        with self.answering():
            self.followed.see(self.emissions([utterance])[0], letters)

    def carried(self) -> dict[str, Tensor]:
        return {} if self.followed is None else {"followed": self.followed.carried()}

    def take_carried(self, tensors: dict[str, Tensor]) -> None:
        if self.followed is not None:
            self.followed.take_carried(tensors["followed"])

    def _know_all_epochs(self, epochs: int, run: Run) -> None:
        """Where an earlier attempt had ended training, what it followed is in its checkpoint."""
        ended = latest(run.work)
        if self.followed is not None and len(self.followed.moments) < epochs and ended is not None:
            self.take_carried(torch.load(ended.state, weights_only=True)["unrolled"]["carried"])

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
        search = self.vocabulary.search(variant, self.spec["symbols"])
        model = search.model.weighted(*self.vocabulary.weights(self._tried_name(variant)))
        yield from search.answers(list(utterances), model)

    def _tried_name(self, variant: Searched) -> str:
        """The name under which a variant's weights were tried.

        Raises UserError for one that params.yaml has got since the training.
        """
        names = [name for name, known in self.settings.variants.items() if known == variant]
        for name in names:
            if name in self.vocabulary.tried:
                return name
        raise UserError(f"systems of track {self.settings.track}: no weights were chosen for the "
                        f"variant {' or '.join(names) or variant.model_dump_json()} when this "
                        f"{self.settings.model} was trained; run its train stage again")

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
        """The transcripts and words that language models are made of, how they are weighed, and
        what was followed in training.
        """
        followed = {} if self.followed is None else {"followed": self.followed.to_json()}
        return {**self.vocabulary.texts(), **followed}

    def load_texts(self, texts: Mapping[str, Any]) -> None:
        self.vocabulary = LetterVocabulary.restored(texts)
        if "followed" in texts:
            self.followed = Followed.from_json(texts["followed"])

    def pictures(self, test: Path, place: int) -> Iterator[tuple[str, "Figure"]]:
        """The utterance that was followed, and how paths make strings; no test item is asked."""
        from pipeline.tasks.asr.shared import training_pictures

        if self.followed is not None and self.followed.moments:
            yield "training", training_pictures.alignments(self.followed)
        yield "paths", training_pictures.paths_and_strings()


def stacked(frames: Tensor, stack: int) -> Tensor:
    """Each `stack` neighbouring frames of [B, T, D] as one, [B, T / stack, stack D].

    It shortens the sequence and makes CTC both faster and better (Sak et al. 2015).
    """
    batch, duration, dimension = frames.shape
    steps = duration // stack
    return frames[:, : steps * stack].reshape(batch, steps, stack * dimension)
