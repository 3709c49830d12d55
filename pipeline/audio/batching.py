"""Batches of feature frames of similar length, which may be stretched in time.

Recordings are sorted by a length that is blurred anew each epoch and cut into batches of equal
number, which are then shuffled: little padding is computed, and batches still differ from epoch to
epoch. In training, a recording may be stretched in time (tempo perturbation), by a factor that
depends on seed, epoch and batch alone.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.audio.frames import Frames
from pipeline.nn.batching import shuffled_batches

_BLUR = 0.1


@dataclass(frozen=True)
class Description:
    """One batch: its recordings, and what its random choices depend on."""

    items: NDArray[np.int64]
    epoch: int
    number: int


class FrameBatches:
    """Batches of `batch` recordings of one split that `write_frames` wrote into `directory`.

    A batch has `frames` [B, T, dimension], zero after each end, and `lengths` [B]. `tempo` is the
    largest share by which a recording becomes longer or shorter.
    """

    def __init__(self, directory: Path, split: str, batch: int, seed: int,
                 tempo: float = 0.0) -> None:
        self.frames = Frames(directory, split)
        self.batch = batch
        self.seed = seed
        self.tempo = tempo

    def plan(self, epoch: int) -> list[Description]:
        random = self._random(epoch)
        blurred = self.frames.lengths * random.uniform(1 - _BLUR, 1 + _BLUR, len(self.frames))
        batches = shuffled_batches(np.argsort(blurred, kind="stable"), self.batch, random)
        return [Description(items, epoch, number) for number, items in enumerate(batches)]

    def load(self, description: Description) -> dict[str, Tensor]:
        random = self._random(description.epoch, description.number)
        return padded([stretched(self.frames[item], self.tempo, random)
                       for item in description.items])

    def _random(self, *numbers: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *numbers])


def stretched(frames: NDArray[np.float32], tempo: float,
              random: np.random.Generator) -> NDArray[np.float32]:
    """Frames [T, dimension] at another tempo, by linear interpolation between neighbours."""
    if not tempo:
        return frames
    length = round(len(frames) * random.uniform(1 - tempo, 1 + tempo))
    places = np.linspace(0, len(frames) - 1, max(1, length))
    before = places.astype(np.int64)
    after = np.minimum(before + 1, len(frames) - 1)
    share = (places - before).astype(np.float32)[:, None]
    return frames[before] * (1 - share) + frames[after] * share


def padded(recordings: list[NDArray[np.float32]]) -> dict[str, Tensor]:
    """`frames` [B, longest, dimension], zero after each end, and `lengths` [B]."""
    lengths = [len(frames) for frames in recordings]
    frames = np.zeros((len(recordings), max(lengths), recordings[0].shape[1]), np.float32)
    for row, recording in enumerate(recordings):
        frames[row, : len(recording)] = recording
    return {"frames": torch.from_numpy(frames), "lengths": torch.tensor(lengths)}
