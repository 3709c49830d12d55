"""Batches of utterances of similar length, and their transcripts as symbol ids.

Utterances are sorted by a length that is blurred anew each epoch and cut into batches of equal
number, which are then shuffled: little padding is computed, and batches still differ from epoch to
epoch. In training, an utterance may be stretched in time (tempo perturbation), by a factor that
depends on seed, epoch and batch alone.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.files import read_json
from pipeline.nn.ctc import BLANK
from pipeline.system import Batch
from pipeline.tasks.asr.shared.storage import Frames

_BLUR = 0.1


@dataclass(frozen=True)
class Description:
    """One batch: its utterances, and what its random choices depend on."""

    items: NDArray[np.int64]
    epoch: int
    number: int


class Utterances:
    """Batches of one split of the features' `fit` folder.

    A batch has `frames` [B, T, dimension], zero after each end, and `lengths` [B]; `targets`, the
    symbol ids of all transcripts end to end (1 is the first symbol), and `target_lengths` [B].
    """

    def __init__(self, directory: Path, split: str, symbols: list[str], batch: int, seed: int,
                 tempo: float = 0.0) -> None:
        self.frames = Frames(directory, split)
        self.items = read_json(directory / f"{split}.items.json")
        ids = {symbol: number for number, symbol in enumerate(symbols, start=BLANK + 1)}
        self.targets = [[ids[character] for character in item["text"]] for item in self.items]
        self.batch = batch
        self.seed = seed
        self.tempo = tempo

    def plan(self, epoch: int) -> list[Description]:
        random = self._random(epoch)
        blurred = self.frames.lengths * random.uniform(1 - _BLUR, 1 + _BLUR, len(self.frames))
        order = np.argsort(blurred, kind="stable")
        batches = [order[start : start + self.batch]
                   for start in range(0, len(order), self.batch)]
        return [Description(batches[index], epoch, number)
                for number, index in enumerate(random.permutation(len(batches)))]

    def load(self, description: Description) -> Batch:
        random = self._random(description.epoch, description.number)
        frames = [self._stretched(self.frames[item], random) for item in description.items]
        targets = [self.targets[item] for item in description.items]
        return {
            **padded(frames),
            "targets": torch.tensor([symbol for target in targets for symbol in target]),
            "target_lengths": torch.tensor([len(target) for target in targets]),
        }

    def check_alignable(self, stack: int) -> None:
        """Raise UserError when an utterance has fewer stacked frames than CTC needs."""
        for item, length, target in zip(self.items, self.frames.lengths, self.targets,
                                        strict=True):
            # A blank must stand between two equal symbols.
            needed = len(target) + sum(a == b for a, b in zip(target, target[1:], strict=False))
            available = int(length * (1 - self.tempo)) // stack
            if available < needed:
                raise UserError(f"utterance {item['id']} has {available} frames after stacking "
                                f"by {stack}, and its transcript needs {needed}: lower `stack`, or "
                                "mend or remove the utterance")

    def _stretched(self, frames: NDArray[np.float32],
                   random: np.random.Generator) -> NDArray[np.float32]:
        """Frames at another tempo, by linear interpolation between neighbours."""
        if not self.tempo:
            return frames
        length = round(len(frames) * random.uniform(1 - self.tempo, 1 + self.tempo))
        places = np.linspace(0, len(frames) - 1, max(1, length))
        before = places.astype(np.int64)
        after = np.minimum(before + 1, len(frames) - 1)
        share = (places - before).astype(np.float32)[:, None]
        return frames[before] * (1 - share) + frames[after] * share

    def _random(self, *numbers: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *numbers])


def padded(utterances: list[NDArray[np.float32]]) -> dict[str, torch.Tensor]:
    """`frames` [B, longest, dimension], zero after each end, and `lengths` [B]."""
    lengths = [len(frames) for frames in utterances]
    frames = np.zeros((len(utterances), max(lengths), utterances[0].shape[1]), np.float32)
    for row, utterance in enumerate(utterances):
        frames[row, : len(utterance)] = utterance
    return {"frames": torch.from_numpy(frames), "lengths": torch.tensor(lengths)}
