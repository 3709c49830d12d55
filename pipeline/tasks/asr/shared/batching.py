"""Batches of utterances: their frames, and their transcripts as symbol ids.

How a recogniser errs after hours of speech and after fewer is seen by training on a share of the
utterances, taken evenly from every speaker, so that voices are as many.
"""

from pathlib import Path

import torch
from pydantic import Field
from torch import Tensor

from pipeline.audio.batching import Description, FrameBatches
from pipeline.audio.chosen import ChosenFrames, share_of_each
from pipeline.errors import UserError
from pipeline.nn.ctc import BLANK
from pipeline.storage.files import read_json
from pipeline.tasks.asr.shared.hearing import NetworkSettings


class UtteranceSettings(NetworkSettings):
    """What networks that write the letters of utterances have in common."""

    tempo: float = Field(ge=0, lt=0.5, description="largest change of the tempo in training")
    training_share: float = Field(
        1.0, gt=0, le=1, description="of every speaker's training utterances, from which the "
                                     "network learns; a language model has all transcripts")


class Utterances(FrameBatches):
    """Batches of one split of the features' `fit` folder.

    Beside its frames a batch has `targets`, the symbol ids of all transcripts end to end (1 is the
    first symbol), and `target_lengths` [B]. With a `share` under 1 there is no more of the split
    than this share of every speaker's utterances.
    """

    def __init__(self, directory: Path, split: str, symbols: list[str], batch: int, seed: int,
                 tempo: float = 0.0, share: float = 1.0) -> None:
        super().__init__(directory, split, batch, seed, tempo)
        self.items = read_json(directory / f"{split}.items.json")
        if share < 1:
            places = share_of_each([item["speaker"] for item in self.items], share)
            self.frames = ChosenFrames(self.frames, places)
            self.items = [self.items[place] for place in places]
        ids = {symbol: number for number, symbol in enumerate(symbols, start=BLANK + 1)}
        self.targets = [[ids[character] for character in item["text"]] for item in self.items]

    def load(self, description: Description) -> dict[str, Tensor]:
        targets = [self.targets[item] for item in description.items]
        return {
            **super().load(description),
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
