"""One utterance that is followed while a network learns by connectionist temporal classification.

The loss sums over all alignments of a transcript. At first they are all alike, and none has much of
the sum; in the end a single one has nearly all of it, and the symbols stand where that one has
them. After each epoch this keeps what the transcript costs over all alignments and by the best of
them alone, and where the best has each symbol.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.nn.ctc import string_log_probability
from pipeline.nn.ctc_alignment import best_alignment


class Moment(NamedTuple):
    """After one epoch: -log P in nats over all alignments and of the best, and the first step of
    each symbol in the best with the step behind its last.
    """

    total: float
    best: float
    places: list[list[int]]


@dataclass
class Followed:
    """The utterance at `place` of the validation split, which says `text`, and its `moments`.

    A step of the network is `stack` frames.
    """

    id: str
    text: str
    place: int
    stack: int
    moments: list[Moment] = field(default_factory=list)

    @classmethod
    def middle(cls, items: Sequence[Mapping[str, Any]], lengths: NDArray[np.int64],
               stack: int) -> Self | None:
        """That of middle length among `items` that say anything."""
        spoken = [place for place, item in enumerate(items) if item["text"]]
        if not spoken:
            return None
        place = sorted(spoken, key=lambda place: int(lengths[place]))[len(spoken) // 2]
        return cls(items[place]["id"], items[place]["text"], place, stack)

    def see(self, emissions: NDArray[np.floating], symbols: list[int]) -> None:
        """Keep another epoch's log-probabilities [steps, symbols] of the transcript `symbols`."""
        found = best_alignment(emissions, symbols)
        self.moments.append(Moment(-string_log_probability(emissions, symbols),
                                   -found.log_probability, [list(one) for one in found.places]))

    def carried(self) -> Tensor:
        """The moments as one matrix, for a checkpoint."""
        rows = [[moment.total, moment.best, *np.ravel(moment.places)] for moment in self.moments]
        return torch.tensor(rows, dtype=torch.float64)

    def take_carried(self, rows: Tensor) -> None:
        """Take back what `carried` gave."""
        self.moments = [Moment(total, best, np.reshape(places, (-1, 2)).astype(int).tolist())
                        for total, best, *places in rows.tolist()]

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "text": self.text, "place": self.place, "stack": self.stack,
                "moments": [moment._asdict() for moment in self.moments]}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What `to_json` gave. Raises KeyError or TypeError for anything else."""
        return cls(found["id"], found["text"], found["place"], found["stack"],
                   [Moment(**moment) for moment in found["moments"]])
