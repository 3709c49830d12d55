"""A network trained by connectionist temporal classification on what was said, without times.

Graves et al. 2006: no alignment is guessed, for training sums over all of them, with a blank where
no symbol is said. When a phone is said is the most probable of these alignments, in which it is a
spike, and a rule for what lies between two spikes (`pipeline.tasks.alignment.shared.spikes`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from pipeline.audio.batching import Description, padded
from pipeline.entries import VariantSettings
from pipeline.nn.ctc import BLANK, Ids, Scores, prefix_n_best
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Batch, NeuralSystem
from pipeline.tasks.alignment.shared.aligner import NetworkSettings, PhoneNetwork, answer
from pipeline.tasks.alignment.shared.batching import SILENCE, PhoneBatches, Utterances
from pipeline.tasks.alignment.shared.searches import Found
from pipeline.tasks.alignment.shared.spikes import Boundary, Spikes, best_alignment, blocked_path

_BEAM = 16


class Variant(VariantSettings):
    """How an utterance is searched, and where phones meet between their spikes.

    "order-synchronous" is the sequence all of whose alignments together are most probable.
    """

    search: Literal["constrained", "blocked", "time-synchronous", "order-synchronous"]
    boundary: Boundary


class Settings(NetworkSettings):
    variants: dict[str, Variant] = Field(min_length=1)


class CtcBatches(PhoneBatches):
    """Batches that have beside their frames `targets`, the symbols of all utterances end to end (1
    is the first phone), and `target_lengths` [B].
    """

    def load(self, description: Description) -> dict[str, Any]:
        found = super().load(description)
        symbols = [one + BLANK + 1 for one in found["symbols"]]
        return {**found, "targets": torch.from_numpy(np.concatenate(symbols)),
                "target_lengths": torch.tensor([len(one) for one in symbols])}


class Ctc(NeuralSystem):
    """Emits log-probabilities of the blank and of phones."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.network = PhoneNetwork(settings, spec, BLANK + 1 + len(spec["phones"]))

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Log-probabilities [B, T, 1 + phones] of `frames` [B, T, D]."""
        return self.network(frames, lengths)

    def batches(self, data: Path, split: str, seed: int) -> CtcBatches:
        return CtcBatches(data, split, self.settings.batch_utterances, seed, self.spec["phones"])

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Negative log-likelihood in nats of what was said; the terms are its phones."""
        emissions = self(batch["frames"], batch["lengths"])
        total = functional.ctc_loss(emissions.transpose(0, 1), batch["targets"], batch["lengths"],
                                    batch["target_lengths"], blank=BLANK, reduction="sum")
        return total, float(batch["target_lengths"].sum())

    def predict(self, data: Path, variant: Variant) -> Iterator[Prediction]:
        utterances = Utterances.of(data, "test", self.spec["phones"])
        for item, symbols, emissions in zip(utterances.items, utterances.symbols,
                                            self.alone(self.emissions, utterances.frames),
                                            strict=True):
            yield answer(self.spec, item["id"], found_in(emissions, variant, symbols))

    def emissions(self, utterance: np.ndarray) -> Scores:
        """Log-probabilities [T, 1 + phones] of one utterance [T, D]."""
        batch = self.here(padded([utterance]))
        found = self(batch["frames"], batch["lengths"])[0]
        return found.detach().cpu().numpy().astype(np.float64)


def found_in(emissions: Scores, variant: Variant, symbols: Ids) -> Found:
    """The phones of an utterance [T, 1 + phones], `symbols` [N] of which were said.

    Phones that are more than there are frames have equal shares of them. A recording in which
    nothing is found is a silence.
    """
    said = (symbols + BLANK + 1).tolist()
    path: Ids | None
    if variant.search == "constrained":
        path = best_alignment(emissions, said)
        if path is None or not said:
            return Found(symbols, np.arange(len(said)) * len(emissions) // max(1, len(said)))
    elif variant.search == "blocked":
        path = blocked_path(emissions, said or range(emissions.shape[1]))
    elif variant.search == "time-synchronous":
        path = emissions.argmax(axis=1)
    else:
        ((best, *_),) = prefix_n_best([emissions], _Anything(), _BEAM, 0.0)
        path = best_alignment(emissions, best.symbols)
        assert path is not None, "a string that was found has an alignment"
    spikes = Spikes.of(path)
    if not len(spikes.symbols):
        return Found(np.array([SILENCE]), np.zeros(1, np.int64))
    return Found(spikes.symbols - BLANK - 1, spikes.starts(variant.boundary))


class _Anything:
    """Of strings besides the sound nothing is known."""

    def start(self) -> int:
        return 0

    def extend(self, states: Ids, symbols: Ids) -> tuple[Scores, Ids]:
        return np.zeros(len(states)), states

    def finish(self, states: Ids) -> Scores:
        return np.zeros(len(states))
