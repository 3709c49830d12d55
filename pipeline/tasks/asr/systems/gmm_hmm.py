"""Recognition as it was before networks: mixtures of Gaussians over phones in hidden Markov models.

Rabiner 1989; Young et al., "The HTK Book"; Jurafsky and Martin, "Speech and Language Processing",
2nd ed., chapter 9: frames of 10 ms, mel cepstra, mixtures of Gaussians for the sound of a state,
states from left to right for time, a dictionary for words and n-grams for what follows what. An
entry says how far the flow goes: monophones, tied triphones, discriminative features, and
adaptation, where every speaker's frames are moved to where the model expects them by an affine map,
found from a first answer to what was said (fMLLR; Gales 1998). Adapted, an answer depends on all
that the speaker says in the test set, which is what adapting to a speaker means.

Nothing is drawn at random, so a second training gives the same system.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field
from torch import Tensor

from pipeline.entries import Entry, SystemSettings, VariantSettings
from pipeline.hmm.gmm import Floats, Frames
from pipeline.hmm.phones import TiedStates
from pipeline.hmm.speaker_adaptation import (
    Adaptation,
    adapted,
    adaptive_training,
    mean_log_volume,
    speaker_transforms,
)
from pipeline.hmm.training import Pass, Schedule
from pipeline.hmm.utterances import Utterances
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Run, System
from pipeline.tasks.asr.shared.acoustics import (
    VARIANCE_SHARE,
    Acoustics,
    Flow,
    Training,
    alignment,
    loss_of,
)
from pipeline.tasks.asr.shared.cepstra import Heard, hear
from pipeline.tasks.asr.shared.grammars import LanguageModel
from pipeline.tasks.asr.shared.recogniser import Decoding
from pipeline.tasks.asr.shared.vocabulary import Vocabulary


class Variant(VariantSettings):
    """What is known of sentences."""

    language_model: LanguageModel


class Speakers(Entry):
    """Speaker-adaptive training, and adaptation to those who are heard."""

    rounds: int = Field(ge=1, le=10)
    passes: int = Field(ge=1, le=20, description="of training in a round")
    gaussians: int = Field(ge=1)
    silence_weight: float = Field(ge=0, le=1, description="of a frame of silence")
    least_frames: float = Field(ge=0, description="a speaker with fewer is not adapted to")
    answers: int = Field(ge=1, le=4, description="passes of adapting and answering again")

    def adaptation(self, silence: frozenset[int]) -> Adaptation:
        return Adaptation(silence, self.silence_weight, self.least_frames)


class Settings(SystemSettings):
    """Speakers are adapted to where that is set."""

    acoustics: Flow
    speakers: Speakers | None
    decoding: Decoding
    variants: dict[str, Variant] = Field(min_length=1)


class GmmHmm(System):
    """`acoustics` as it hears anybody; `adaptive` what speaker-adaptive training made of it."""

    settings: Settings
    acoustics: Acoustics
    adaptive: Acoustics | None
    vocabulary: Vocabulary

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        self.vocabulary = Vocabulary.of(data, self.spec)
        heard, valid = self._hear(data, "train"), self._hear(data, "valid")
        curve: list[dict[str, float]] = []

        def tell(report: Pass, after: Acoustics) -> None:
            loss = loss_of(after.model, after.features(valid), valid,
                           self.vocabulary.pronunciations)
            curve.append({"step": len(curve) + 1, "loss": -report.log_likelihood,
                          "validation_loss": loss})

        training = Training(heard, self.vocabulary.pronunciations, tell)
        self.acoustics = training.through(self.settings.acoustics)
        self.adaptive = None
        if self.settings.speakers is not None:
            self.adaptive = self._made_adaptive(training, self.settings.speakers, valid, curve)
        scores = self._unadapted(valid)
        for name in dict.fromkeys(variant.language_model
                                  for variant in self.settings.variants.values()):
            self.vocabulary.choose(name, self.known(), self.settings.decoding, scores, valid.texts)
        return curve

    def predict(self, data: Path, variant: Variant) -> Iterator[Prediction]:
        heard = self._hear(data, "test")
        recogniser = self.vocabulary.recogniser(
            variant.language_model, self.known(), self.settings.decoding)
        scores = self._unadapted(heard)
        if self.adaptive is not None and self.settings.speakers is not None:
            for _ in range(self.settings.speakers.answers):
                scores = self._adapted(heard, recogniser.best(scores))
        for item, answer in zip(heard.items, recogniser.answers(scores), strict=True):
            yield {"id": item["id"], **answer}

    def known(self) -> TiedStates:
        """The tied states."""
        return self.acoustics.model.tied

    def test_scores(self, data: Path, utterance: int) -> Floats:
        """log p(frame | tied state) of one test item, [T, states], before any adaptation."""
        heard = self._hear(data, "test")
        frames = self.acoustics.features(heard)
        return self.acoustics.scores(frames[slice(*heard.offsets[utterance : utterance + 2])])

    def _hear(self, data: Path, split: str) -> Heard:
        return hear(data, split, self.settings.acoustics.coefficients)

    def _made_adaptive(self, training: Training, speakers: Speakers, valid: Heard,
                       curve: list[dict[str, float]]) -> Acoustics:
        """Rounds of speaker-adaptive training, each a point of the `curve`."""
        heard, found = training.heard, self.acoustics
        utterances = training.utterances(found.model.tied, found.features(heard))
        schedule = Schedule(speakers.passes, speakers.gaussians, speakers.passes, frozenset([1]),
                            variance_share=VARIANCE_SHARE)
        for model, done in adaptive_training(found.model, utterances, heard.speakers,
                                             speakers.adaptation(self._silence()),
                                             speakers.rounds, schedule):
            found = replace(found, model=model)
            moved, volume = self._moved(found, speakers, valid, valid.texts)
            curve.append({
                "step": len(curve) + 1,
                "loss": -done.passes[-1].log_likelihood - done.log_volume,
                "validation_loss": loss_of(model, moved, valid,
                                           self.vocabulary.pronunciations) - volume})
        return found

    def _unadapted(self, heard: Heard) -> list[Floats]:
        return _cut(self.acoustics, self.acoustics.features(heard), heard)

    def _adapted(self, heard: Heard, texts: list[str]) -> list[Floats]:
        """Scores of frames that are moved to where the model expects what `texts` say."""
        if self.adaptive is None or self.settings.speakers is None:
            raise ValueError("this system does not adapt to speakers")
        moved, _ = self._moved(self.adaptive, self.settings.speakers, heard, texts)
        return _cut(self.adaptive, moved, heard)

    def _moved(self, adaptive: Acoustics, speakers: Speakers, heard: Heard,
               texts: list[str]) -> tuple[Frames, float]:
        """Features [F, D] moved to where `adaptive` expects what `texts` say, and their log volume.

        Each speaker's map is found twice, for the first one tells the Gaussians of a state better
        apart.
        """
        states = alignment(self.acoustics, heard, texts, self.vocabulary.pronunciations)
        recorded = Utterances(self.acoustics.features(heard), heard.offsets, ())
        adaptation, mixtures = speakers.adaptation(self._silence()), adaptive.model.mixtures
        rough = speaker_transforms(mixtures, recorded, heard.speakers, states, adaptation)
        maps = speaker_transforms(mixtures, recorded, heard.speakers, states, adaptation, rough)
        return (adapted(recorded, heard.speakers, maps).frames,
                mean_log_volume(maps, heard.speakers, heard.offsets))

    def _silence(self) -> frozenset[int]:
        return frozenset(self.acoustics.model.tied.states("SIL", "SIL", "SIL"))

    def tensors(self) -> Mapping[str, Tensor]:
        found = self.acoustics.tensors("acoustics")
        if self.adaptive is not None:
            found |= self.adaptive.tensors("adaptive")
        return found

    def texts(self) -> Mapping[str, Any]:
        return {**self.vocabulary.texts(), "acoustics": self.acoustics.texts()}

    def load_texts(self, texts: Mapping[str, Any]) -> None:
        self.vocabulary = Vocabulary.restored(texts, self.spec)
        self._acoustic_texts = texts["acoustics"]

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        self.acoustics = Acoustics.restored("acoustics", tensors, self._acoustic_texts)
        self.adaptive = None
        if self.settings.speakers is not None:
            self.adaptive = Acoustics.restored("adaptive", tensors, self._acoustic_texts)

    @property
    def parameters_count(self) -> int:
        """Weights, means and variances of Gaussians, stays and projections."""
        return self.acoustics.parameters_count + (
            self.adaptive.parameters_count if self.adaptive is not None else 0)


def _cut(acoustics: Acoustics, frames: np.ndarray, heard: Heard) -> list[Floats]:
    return [acoustics.scores(frames[start:end])
            for start, end in zip(heard.offsets[:-1], heard.offsets[1:], strict=True)]
