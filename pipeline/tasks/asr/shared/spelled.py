"""Batches of utterances for a network that spells them: transcripts with a start and an end.

The end is 0, which CTC calls the blank and no letter has; letters begin at 1; the start is the
number behind the last letter. It is read and never written.
"""

from pathlib import Path

import torch
from torch import Tensor

from pipeline.audio.batching import Description
from pipeline.tasks.asr.shared.batching import Utterances

END = 0
NOTHING = -1  # what stands behind the end of a shorter transcript


class Spelled(Utterances):
    """Batches of `Utterances` that also have `inputs` and `outputs` [B, L].

    Both are letters; inputs begin with the start and outputs close with the end, so a decoder that
    has read inputs up to a place is asked for the output of that place. In the first
    `sorted_epochs` the shortest utterances come first: where to look is learnt where there is
    little to choose from.
    """

    def __init__(self, directory: Path, split: str, symbols: list[str], batch: int, seed: int,
                 tempo: float = 0.0, share: float = 1.0, sorted_epochs: int = 0) -> None:
        super().__init__(directory, split, symbols, batch, seed, tempo, share)
        self.start = len(symbols) + 1
        self.sorted_epochs = sorted_epochs

    def plan(self, epoch: int) -> list[Description]:
        found = super().plan(epoch)
        if epoch >= self.sorted_epochs:
            return found
        return sorted(found, key=lambda batch: float(self.frames.lengths[batch.items].mean()))

    def load(self, description: Description) -> dict[str, Tensor]:
        inputs, outputs = spelled([self.targets[item] for item in description.items], self.start)
        return {**super().load(description), "inputs": inputs, "outputs": outputs}


def spelled(transcripts: list[list[int]], start: int) -> tuple[Tensor, Tensor]:
    """`inputs` and `outputs` [B, longest + 1] of letters; see `Spelled`."""
    shape = (len(transcripts), max(map(len, transcripts)) + 1)
    inputs, outputs = torch.full(shape, END), torch.full(shape, NOTHING)
    inputs[:, 0] = start
    for row, letters in enumerate(transcripts):
        inputs[row, 1 : len(letters) + 1] = torch.tensor(letters, dtype=torch.int64)
        outputs[row, : len(letters)] = torch.tensor(letters, dtype=torch.int64)
        outputs[row, len(letters)] = END
    return inputs, outputs
