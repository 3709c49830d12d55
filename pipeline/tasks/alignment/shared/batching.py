"""Utterances of the alignment task: their frames, their phones, and when each phone begins.

A phone of an utterance is a number, its place among the labels of `spec.json`. Times are counted in
frames: a phone has those from the one it begins at to the one before the next phone's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from pipeline.audio.batching import Description, FrameBatches
from pipeline.audio.frames import Frames
from pipeline.errors import UserError
from pipeline.nn.ctc import Ids
from pipeline.nn.order_synchronous import separated
from pipeline.storage.files import read_json

NO_SYMBOL = -1
SILENCE = 0  # stands first among the labels


@dataclass(frozen=True)
class Utterances:
    """A split: `items` as the features stage wrote them, `lengths` in frames, `symbols` of each.

    `starts` are the frames at which an utterance's phones begin, None where nobody knows.
    """

    items: list[dict[str, Any]]
    frames: Frames
    symbols: list[Ids]
    starts: list[Ids | None]

    @classmethod
    def of(cls, data: Path, split: str, labels: Sequence[str]) -> Self:
        numbers = {label: number for number, label in enumerate(labels)}
        items = read_json(data / f"{split}.items.json")
        starts = [item.get("starts") for item in items]
        return cls(items, Frames(data, split),
                   [np.array([numbers[phone] for phone in item["phones"]], np.int64)
                    for item in items],
                   [None if one is None else np.array(one, np.int64) for one in starts])

    @property
    def lengths(self) -> Ids:
        return np.asarray(self.frames.lengths, np.int64)

    def check_alignable(self) -> None:
        """Raise UserError for an utterance without phones, or with fewer frames than they need."""
        for item, length, symbols in zip(self.items, self.lengths, self.symbols, strict=True):
            if not fits(symbols, int(length)):
                raise UserError(
                    f"utterance {item['id']} has {len(symbols)} phones and {length} frames; each "
                    "phone needs a frame, and equal neighbours one between them: mend or remove "
                    "the utterance")

    def known_starts(self) -> list[Ids]:
        """Raises UserError naming the first utterance whose times nobody knows."""
        found: list[Ids] = []
        for item, starts in zip(self.items, self.starts, strict=True):
            if starts is None:
                raise UserError(f"utterance {item['id']}: the corpus does not know when its phones "
                                "begin; train with a system that guesses")
            found.append(starts)
        return found


class PhoneBatches(FrameBatches):
    """Batches of one split.

    Beside its frames a batch has `rows` [B], the places of its utterances in the split, `epoch`,
    and of each utterance its `symbols` and `starts`, as `Utterances` has them.
    """

    def __init__(self, directory: Path, split: str, batch: int, seed: int,
                 labels: Sequence[str]) -> None:
        super().__init__(directory, split, batch, seed)
        self.utterances = Utterances.of(directory, split, labels)
        self.utterances.check_alignable()

    def load(self, description: Description) -> dict[str, Any]:
        rows = description.items.tolist()
        return {**super().load(description), "rows": rows, "epoch": description.epoch,
                "symbols": [self.utterances.symbols[row] for row in rows],
                "starts": [self.utterances.starts[row] for row in rows]}


def fits(symbols: Ids, frames: int) -> bool:
    """Whether there is an alignment: a frame for each phone, and one between equal neighbours."""
    return len(symbols) > 0 and len(symbols) + int(
        (symbols[1:] == symbols[:-1]).sum()) <= frames


def with_separators(symbols: Ids) -> tuple[list[int], Ids]:
    """The rows of an utterance's table, and the phone of each row.

    Between equal neighbours, which compression would merge, stands a silence; its frames belong to
    the phone before it.
    """
    found = separated(symbols.tolist(), SILENCE)
    return found.symbols, found.places


def starts_of(places: Ids) -> Ids:
    """The first frame of each phone, from the phone of each frame [T], which never falls."""
    return np.flatnonzero(np.diff(places, prepend=-1))


def frame_symbols(symbols: Ids, starts: Ids, frames: int) -> Ids:
    """The symbol of each frame, [frames], of phones that begin at `starts`."""
    return np.repeat(symbols, np.diff(starts, append=frames))


def padded_targets(targets: Sequence[Ids], width: int) -> Tensor:
    """[B, width], NO_SYMBOL behind the end of each."""
    found = torch.full((len(targets), width), NO_SYMBOL)
    for row, target in enumerate(targets):
        found[row, : len(target)] = torch.from_numpy(target)
    return found
