"""Networks that say at each frame how probable each phone is, whatever they learn it from.

One or more bidirectional LSTM layers hear the whole utterance. What a network says, P(phone |
frames), is by Bayes' rule a density but for a constant of the frame once it is divided by how
frequent the phone is in training (Bourlard and Morgan 1994, "Connectionist Speech Recognition"): a
phone that is everywhere, the silence, would draw frames towards itself. `prior_scale` says how much
of it is divided by: 0 is what the network says, as the lecture has it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from pipeline.audio.batching import padded
from pipeline.audio.frames import Frames
from pipeline.entries import SystemSettings, TrainingSettings
from pipeline.nn.ctc import Ids, Scores
from pipeline.nn.dropout import FreshDropout
from pipeline.nn.rnn import BidirectionalStack
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Batch, NeuralSystem
from pipeline.tasks.alignment.shared.batching import (
    NO_SYMBOL,
    PhoneBatches,
    Utterances,
    frame_symbols,
)
from pipeline.tasks.alignment.shared.searches import Found, Known, Variant, in_symbols
from pipeline.tasks.alignment.shared.spoken import Clock

LEXICON = "lexicon.json"
_LEAST_LEAVING = 0.01  # no phone stays for ever, whatever was seen


class NetworkSettings(SystemSettings):
    """What all networks of the task have in common."""

    hidden: int = Field(ge=1, description="units of each direction")
    layers: int = Field(ge=1, le=12)
    dropout: float = Field(ge=0, lt=1)
    input_noise: float = Field(
        ge=0, description="deviation of noise added in training to standardised features")
    batch_utterances: int = Field(ge=1)
    training: TrainingSettings


class AlignerSettings(NetworkSettings):
    """What networks that learn a phone for each frame have in common."""

    prior_scale: float = Field(
        ge=0, le=1, description="power of a phone's frequency by which its probability is divided")
    variants: dict[str, Variant] = Field(min_length=1)


class PhoneNetwork(nn.Module):
    """Log-probabilities [B, T, S] of S symbols at each frame of [B, T, D]."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, settings: NetworkSettings, spec: dict[str, Any], symbols: int) -> None:
        super().__init__()
        self.noise = settings.input_noise
        self.register_buffer("mean", torch.tensor(spec["mean"], dtype=torch.float32))
        self.register_buffer("deviation", torch.tensor(spec["deviation"], dtype=torch.float32))
        self.lstm = BidirectionalStack("lstm-torch", spec["dimension"],
                                       [settings.hidden] * settings.layers, settings.dropout,
                                       masks="fresh")
        self.dropout = FreshDropout(settings.dropout)
        self.output = nn.Linear(2 * settings.hidden, symbols)

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        inputs = (frames - self.mean) / self.deviation
        if self.training:
            inputs = inputs + self.noise * torch.randn_like(inputs)
        heard = self.lstm(inputs.transpose(0, 1), lengths).transpose(0, 1)
        return self.output(self.dropout(heard)).float().log_softmax(dim=-1)


class Aligner(NeuralSystem):
    """A network that learns from a phone for each frame; a subclass says where those are from.

    `priors` [S] are log-frequencies of phones in the frames that it learnt from, and `stays` [S]
    the log-probabilities that one lasts another frame there.
    """

    settings: AlignerSettings
    priors: Tensor
    stays: Tensor

    def __init__(self, settings: AlignerSettings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        count = len(spec["phones"])
        self.network = PhoneNetwork(settings, spec, count)
        self.register_buffer("priors", torch.full((count,), -np.log(count)))
        self.register_buffer("stays", torch.full((count,), float(np.log(0.9))))

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Log P(phone | frames), [B, T, S], of `frames` [B, T, D]."""
        return self.network(frames, lengths)

    def batches(self, data: Path, split: str, seed: int) -> PhoneBatches:
        return PhoneBatches(data, split, self.settings.batch_utterances, seed,
                            self.spec["phones"])

    def divergence(self, found: Tensor, targets: Tensor) -> tuple[Tensor, float]:
        """Cross-entropy in nats of `targets` [B, T], and how many of them there are."""
        total = functional.nll_loss(found.flatten(0, 1), targets.to(found.device).flatten(),
                                    ignore_index=NO_SYMBOL, reduction="sum")
        return total, float((targets != NO_SYMBOL).sum())

    def learn_durations(self, utterances: Utterances, starts: Sequence[Ids]) -> None:
        """Take `priors` and `stays` from an alignment of the training utterances."""
        durations = [np.diff(one, append=length) for one, length
                     in zip(starts, utterances.lengths, strict=True)]
        symbols = np.concatenate(utterances.symbols)
        count = len(self.spec["phones"])
        frames = np.bincount(symbols, np.concatenate(durations), minlength=count)
        phones = np.bincount(symbols, minlength=count)
        # A phone that nobody said is as rare as one frame.
        priors = np.log(np.maximum(frames, 1) / frames.sum())
        leaving = np.clip(phones / np.maximum(frames, 1), _LEAST_LEAVING, 1 - _LEAST_LEAVING)
        self.priors.copy_(torch.from_numpy(priors))
        self.stays.copy_(torch.from_numpy(np.log1p(-leaving)))

    def scaled(self, found: Tensor) -> Scores:
        """Log-probabilities [..., S] divided by a power of the priors, in double precision."""
        scores = found.detach() - self.settings.prior_scale * self.priors
        return scores.cpu().numpy().astype(np.float64)

    def scores(self, utterance: np.ndarray) -> Scores:
        """What searches see of one utterance [T, D]: [T, S]."""
        batch = self.here(padded([utterance]))
        return self.scaled(self(batch["frames"], batch["lengths"])[0])

    def known(self) -> Known:
        if self.artefacts is None:
            raise ValueError("the system has not been told where its artefacts are")
        return Known(self.stays.cpu().numpy().astype(np.float64),
                     in_symbols(read_json(self.artefacts / LEXICON), self.spec["phones"]))

    def predict(self, data: Path, variant: Variant) -> Iterator[Prediction]:
        utterances = Utterances.of(data, "test", self.spec["phones"])
        known = self.known()
        for item, symbols, scores in zip(utterances.items, utterances.symbols,
                                         self.alone(self.scores, utterances.frames), strict=True):
            yield answer(self.spec, item["id"], known.found(variant.search, scores, symbols))

    def test_scores(self, data: Path, utterance: int) -> Scores:
        """`scores` of one test item, for pictures."""
        return next(iter(self.alone(self.scores, [Frames(data, "test")[utterance]])))


def answer(spec: dict[str, Any], item: str, found: Found) -> Prediction:
    """The prediction of an item: its phones' labels, and the seconds at which they begin."""
    return {"id": item, "phones": [spec["phones"][symbol] for symbol in found.symbols.tolist()],
            "begins": Clock.read(spec).begins(found.starts.tolist())}


def targets_of(batch: Batch, starts: Sequence[Ids]) -> list[Ids]:
    """The symbol of each frame of a batch's utterances, whose phones begin at `starts`."""
    return [frame_symbols(symbols, begins, length) for symbols, begins, length
            in zip(batch["symbols"], starts, batch["lengths"].tolist(), strict=True)]
