"""Batches of utterances: their frames, and their transcripts as symbol ids."""

from pathlib import Path

import torch
from torch import Tensor

from pipeline.audio.batching import Description, FrameBatches
from pipeline.errors import UserError
from pipeline.nn.ctc import BLANK
from pipeline.storage.files import read_json


class Utterances(FrameBatches):
    """Batches of one split of the features' `fit` folder.

    Beside its frames a batch has `targets`, the symbol ids of all transcripts end to end (1 is the
    first symbol), and `target_lengths` [B].
    """

    def __init__(self, directory: Path, split: str, symbols: list[str], batch: int, seed: int,
                 tempo: float = 0.0) -> None:
        super().__init__(directory, split, batch, seed, tempo)
        self.items = read_json(directory / f"{split}.items.json")
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
