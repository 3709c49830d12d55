"""A network trained on given alignments: someone has said when each phone begins.

CMU 11-785, "Connectionist Temporal Classification", first part: a network's output belongs to
a symbol at the symbol's last frame, and the divergence may be taken there and nowhere else; or the
symbol is what each of its frames should say, and the divergence is taken at all of them.
"""

from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field
from torch import Tensor

from pipeline.audio.batching import Description
from pipeline.systems.base import Batch
from pipeline.tasks.alignment.shared.aligner import (
    Aligner,
    AlignerSettings,
    targets_of,
)
from pipeline.tasks.alignment.shared.batching import NO_SYMBOL, PhoneBatches, padded_targets

Divergence = Literal["all-frames", "last-frame"]


class Settings(AlignerSettings):
    divergence: Divergence = Field(description="at which of a phone's frames")


class GivenBatches(PhoneBatches):
    """Batches that have beside their frames the `targets` [B, T] of the frames that count."""

    divergence: Divergence = "all-frames"

    def load(self, description: Description) -> dict[str, Any]:
        found = super().load(description)
        targets = targets_of(found, found["starts"])
        if self.divergence == "last-frame":
            targets = [_at_lasts(target, starts) for target, starts
                       in zip(targets, found["starts"], strict=True)]
        return {**found, "targets": padded_targets(targets, found["frames"].shape[1])}


class Given(Aligner):
    """`priors` and `stays` are those of all frames, wherever the divergence is taken."""

    settings: Settings

    def batches(self, data: Path, split: str, seed: int) -> GivenBatches:
        found = GivenBatches(data, split, self.settings.batch_utterances, seed,
                             self.spec["phones"])
        found.divergence = self.settings.divergence
        known = found.utterances.known_starts()
        if split == "train":
            self.learn_durations(found.utterances, known)
        return found

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Cross-entropy in nats of the frames that count."""
        return self.divergence(self(batch["frames"], batch["lengths"]), batch["targets"])


def _at_lasts(target: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """`target` [T] at the last frame of each phone, NO_SYMBOL elsewhere."""
    lasts = np.append(starts[1:] - 1, len(target) - 1)
    found = np.full(len(target), NO_SYMBOL)
    found[lasts] = target[lasts]
    return found
