"""Batches of utterances with the tied state of every frame."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipeline.audio.batching import Description, FrameBatches
from pipeline.hmm.gmm import Ids

NO_STATE = -1


class FrameTargets(FrameBatches):
    """Batches of one split of the features' `fit` folder.

    Beside its frames a batch has `states` [B, T], NO_STATE where a frame has none and behind ends.
    `states` [F] are those of all frames of the split.
    """

    def __init__(self, directory: Path, split: str, batch: int, seed: int, states: Ids) -> None:
        super().__init__(directory, split, batch, seed)
        self.states = np.where(states < 0, NO_STATE, states)

    def load(self, description: Description) -> dict[str, Tensor]:
        found = super().load(description)
        states = torch.full(found["frames"].shape[:2], NO_STATE)
        for row, item in enumerate(description.items):
            own = self.states[self.frames.offsets[item] : self.frames.offsets[item + 1]]
            states[row, : len(own)] = torch.from_numpy(own)
        return {**found, "states": states}
