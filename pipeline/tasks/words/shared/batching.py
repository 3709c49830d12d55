"""Batches of words: their frames and their classes, each batch for the network of one fold."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.audio.batching import Description, FrameBatches
from pipeline.nn.batching import shuffled_batches
from pipeline.storage.files import read_json
from pipeline.systems.base import Batch

_BLUR = 0.1


@dataclass(frozen=True)
class FoldDescription(Description):
    """One batch, and the place of the fold whose network it trains."""

    fold: int


class WordBatches(FrameBatches):
    """Batches of one split of the features' `fit` folder; `rows` are each fold's recordings.

    Beside its frames a batch has `labels` [B], places in the list of `labels`, and `fold`, a place
    in `rows`. A batch never holds recordings of two folds, so no network sees what its fold leaves
    out.
    """

    def __init__(self, directory: Path, split: str, labels: Sequence[str],
                 rows: Sequence[NDArray[np.int64]], batch: int, seed: int,
                 tempo: float = 0.0) -> None:
        super().__init__(directory, split, batch, seed, tempo)
        numbers = {label: number for number, label in enumerate(labels)}
        self.labels = np.array([numbers[item["label"]] for item in
                                read_json(directory / f"{split}.items.json")], np.int64)
        self.rows = rows

    def plan(self, epoch: int) -> list[Any]:
        random = self._random(epoch)
        lengths = self.frames.lengths
        batches: list[tuple[int, NDArray[np.int64]]] = []
        for fold, rows in enumerate(self.rows):
            blurred = lengths[rows] * random.uniform(1 - _BLUR, 1 + _BLUR, len(rows))
            order = rows[np.argsort(blurred, kind="stable")]
            batches += [(fold, items) for items in shuffled_batches(order, self.batch, random)]
        return [FoldDescription(batches[place][1], epoch, number, batches[place][0])
                for number, place in enumerate(random.permutation(len(batches)))]

    def load(self, description: Any) -> Batch:
        return {**super().load(description), "fold": description.fold,
                "labels": torch.from_numpy(self.labels[description.items])}
