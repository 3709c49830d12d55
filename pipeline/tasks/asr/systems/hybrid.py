"""The hybrid: a network says which tied state each frame is in, hidden Markov models the rest.

Bourlard and Morgan 1994 ("Connectionist Speech Recognition"): Gaussians align the training data
with their transcripts, and a network learns the tied state of every frame. What it then says,
P(state | frames), becomes by Bayes' rule a density but for a constant of the frame when it is
divided by how frequent the state is, and takes the Gaussians' place in the same search, with the
same dictionary, tied states and language model. The network hears log-mel of a whole utterance:
either through time-delay layers (Peddinti et al. 2015) or with a bidirectional LSTM (Graves, Jaitly
and Mohamed 2013, "Hybrid Speech Recognition with Deep Bidirectional LSTM"). A variant whose
language model is "bigram and recurrent" has a network for sentences, too: an LSTM that learns the
training transcripts and scores again what the bigram has found.

The Gaussians are part of the training: nothing is drawn in theirs, so all seeds learn from the same
alignment.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from pipeline.audio.batching import FrameBatches, padded
from pipeline.audio.frames import Frames
from pipeline.entries import Entry, VariantSettings
from pipeline.hmm.gmm import Floats, Ids
from pipeline.hmm.phones import TiedStates
from pipeline.nn.dropout import FreshDropout
from pipeline.nn.rnn import BidirectionalStack
from pipeline.nn.tdnn import TimeDelayStack
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Batch, NeuralSystem, Run
from pipeline.tasks.asr.shared.acoustics import (
    Flow,
    Training,
    alignment,
    tied_of,
    tied_to_json,
)
from pipeline.tasks.asr.shared.cepstra import hear
from pipeline.tasks.asr.shared.frame_targets import FrameTargets
from pipeline.tasks.asr.shared.hearing import Hearing, NetworkSettings
from pipeline.tasks.asr.shared.recogniser import Decoding, Recogniser
from pipeline.tasks.asr.shared.rescoring import Rescoring
from pipeline.tasks.asr.shared.second_pass import (
    AnyModel,
    SecondPass,
    first_of,
    is_own,
    is_two_pass,
)
from pipeline.tasks.asr.shared.vocabulary import Vocabulary


class TimeDelay(Entry):
    """Dilated layers over whole utterances."""

    kind: Literal["tdnn"]
    hidden: int = Field(ge=1)
    dilations: list[Annotated[int, Field(ge=1, le=100)]] = Field(min_length=1, max_length=12)


class Recurrent(Entry):
    """Bidirectional LSTM layers."""

    kind: Literal["lstm"]
    hidden: int = Field(ge=1, description="units of each direction")
    layers: int = Field(ge=1, le=12)


class Variant(VariantSettings):
    """What is known of sentences."""

    language_model: AnyModel


class Settings(NetworkSettings):
    acoustics: Flow
    network: Annotated[TimeDelay | Recurrent, Field(discriminator="kind")]
    decoding: Decoding
    rescoring: Rescoring | None = Field(
        None, description="how a language model of two passes scores again what the first found")
    variants: dict[str, Variant] = Field(min_length=1)

    @model_validator(mode="after")
    def _second_pass_is_described(self) -> Self:
        if self.rescoring is None and any(map(is_two_pass, self.language_models())):
            raise ValueError("a language model of two passes needs `rescoring`: say how "
                             "hypotheses are scored again")
        return self

    def language_models(self) -> list[AnyModel]:
        """Those of the variants, each once."""
        return list(dict.fromkeys(variant.language_model for variant in self.variants.values()))


class Hybrid(NeuralSystem):
    """`priors` [states] are log-frequencies of tied states in the alignment."""

    settings: Settings
    priors: Tensor
    stay: Tensor

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        states = settings.acoustics.most_states
        self.hearing = Hearing(settings, spec)
        self.register_buffer("priors", torch.zeros(states))
        self.register_buffer("stay", torch.zeros(states, dtype=torch.float64))
        self.body, width = _network(settings, spec["dimension"])
        self.dropout = FreshDropout(settings.dropout)
        self.output = nn.Linear(width, states)
        self.tied: TiedStates | None = None
        self.vocabulary = Vocabulary({}, [], 0.0)
        self.second: SecondPass | None = None
        self._targets: dict[str, Ids] = {}

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Log P(state | frames), [B, T, states], of `frames` [B, T, D]."""
        inputs = self.hearing(frames, lengths)
        if isinstance(self.body, BidirectionalStack):
            found = self.body(inputs.transpose(0, 1), lengths).transpose(0, 1)
        else:
            found = self.body(inputs, lengths)
        return self.output(self.dropout(found)).float().log_softmax(dim=-1)

    def batches(self, data: Path, split: str, seed: int) -> FrameBatches:
        self._align(data)
        return FrameTargets(data, split, self.settings.batch_utterances, seed, self._targets[split])

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Cross-entropy in nats of the tied states of frames; a frame without one counts not."""
        found = self(batch["frames"], batch["lengths"])
        total = functional.nll_loss(found.flatten(0, 1), batch["states"].flatten(),
                                    ignore_index=-1, reduction="sum")
        return total, float((batch["states"] >= 0).sum())

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        curve = super().fit(data, run)
        texts = [item["text"] for item in read_json(data / "valid.items.json")]
        scores = list(self.alone(self.scores, Frames(data, "valid")))
        models = self.settings.language_models()
        for first in dict.fromkeys(map(first_of, models)):
            self.vocabulary.choose(first, self.known(), self.settings.decoding, scores, texts)
        if self.settings.rescoring is not None:
            self.second = SecondPass.trained(
                self.settings.rescoring, list(self.vocabulary.pronunciations),
                self.vocabulary.transcripts, texts, run.seed)
            for name in filter(is_two_pass, models):
                self.second.choose(name, self._recogniser(name), scores, texts)
        return curve

    def predict(self, data: Path, variant: Variant) -> Iterator[Prediction]:
        name = variant.language_model
        first = self._recogniser(name)
        items = read_json(data / "test.items.json")
        scores = self.alone(self.scores, Frames(data, "test"))
        answers = (self.second.answers(name, first, scores)
                   if self.second is not None and is_two_pass(name) else first.answers(scores))
        for item, answer in zip(items, answers, strict=True):
            yield {"id": item["id"], **answer}

    def scores(self, utterance: np.ndarray) -> Floats:
        """Log P(frame | state) but for a constant of the frame, [T, states], of frames [T, D]."""
        batch = self.here(padded([utterance]))
        found = self(batch["frames"], batch["lengths"])[0] - self.priors
        return found.cpu().numpy().astype(np.float64)

    def test_scores(self, data: Path, utterance: int) -> Floats:
        """`scores` of one test item's frames."""
        return next(iter(self.alone(self.scores, [Frames(data, "test")[utterance]])))

    def _recogniser(self, name: AnyModel) -> Recogniser:
        """What searches, with its chosen weights."""
        return self.vocabulary.recogniser(first_of(name), self.known(), self.settings.decoding)

    def _align(self, data: Path) -> None:
        """Train Gaussians, and take tied states, their frequencies and every frame's from them.

        Once, whoever asks first: training asks for batches of both splits.
        """
        if self._targets:
            return
        flow = self.settings.acoustics
        self.vocabulary = Vocabulary.of(data, self.spec)
        heard = hear(data, "train", flow.coefficients)
        gaussians = Training(heard, self.vocabulary.pronunciations,
                             lambda *_: None).through(flow)
        for split in ("train", "valid"):
            known = hear(data, split, flow.coefficients)
            self._targets[split] = alignment(gaussians, known, known.texts,
                                             self.vocabulary.pronunciations)
        states = self._targets["train"]
        counts = np.bincount(states[states >= 0], minlength=len(self.priors))
        # A state that no frame has is in no word, or is as rare as one frame.
        self.priors.copy_(torch.from_numpy(np.log(np.maximum(counts, 1) / counts.sum())))
        self.tied = gaussians.model.tied
        stay = np.asarray(self.tied.stay)
        self.stay[: len(stay)] = torch.from_numpy(stay)

    def known(self) -> TiedStates:
        """The tied states. Raises ValueError for a system that is not fitted."""
        if self.tied is None:
            raise ValueError("the system is not fitted")
        return self.tied

    def texts(self) -> Mapping[str, Any]:
        tied = self.known()
        second = {} if self.second is None else {"second": self.second.texts()}
        return {**self.vocabulary.texts(), "states": len(tied.stay),
                "triphones": tied_to_json(tied), **second}

    def load_texts(self, texts: Mapping[str, Any]) -> None:
        self.vocabulary = Vocabulary.restored(texts, self.spec)
        self._stored = dict(texts)

    def tensors(self) -> Mapping[str, Tensor]:
        own = super().tensors()
        return own if self.second is None else {**own, **self.second.tensors()}

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        super().load_tensors({name: tensor for name, tensor in tensors.items()
                              if not is_own(name)})
        stay = self.stay[: int(self._stored["states"])].numpy().copy()
        self.tied = tied_of(self._stored["triphones"], stay)
        if self.settings.rescoring is not None:
            self.second = SecondPass.restored(self.settings.rescoring, self.vocabulary.transcripts,
                                              self._stored["second"], tensors)

    @property
    def parameters_count(self) -> int:
        """Weights of the network, and of the language model of the second pass."""
        return super().parameters_count + (
            0 if self.second is None else self.second.recurrent.parameters_count)


def _network(settings: Settings, features: int) -> tuple[nn.Module, int]:
    """What hears features, and the width of what it says of a frame."""
    network = settings.network
    if isinstance(network, TimeDelay):
        return TimeDelayStack(features, network.hidden, network.dilations,
                              settings.dropout), network.hidden
    return BidirectionalStack("lstm-torch", features, [network.hidden] * network.layers,
                              settings.dropout, masks="fresh"), 2 * network.hidden
