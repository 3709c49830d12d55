"""What each round of re-estimation was worth, on validation utterances whose times are known.

Rounds are drawn as curves. Nothing here trains or chooses: a system that guesses sees no times.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from pipeline.nn.ctc import Ids

LONGEST = 100  # frames: errors of more are counted as this many
WITHIN = 0.020  # seconds


@dataclass
class Round:
    """The boundaries of one epoch's validation, by how many frames they are wrong.

    `errors` [LONGEST + 1] counts them, without those at the beginning of an utterance; `total` is
    the divergence, in nats, of `frames`.
    """

    errors: Ids = field(default_factory=lambda: np.zeros(LONGEST + 1, np.int64))
    total: float = 0.0
    frames: float = 0.0

    def add(self, found: Sequence[Ids], known: Sequence[Ids | None]) -> None:
        """Count the first frames that were `found` of phones against those `known`."""
        for one, truth in zip(found, known, strict=True):
            if truth is not None:
                wrong = np.minimum(np.abs(one - truth)[1:], LONGEST)
                self.errors += np.bincount(wrong, minlength=LONGEST + 1)

    def told(self, hop: float) -> dict[str, float | None]:
        """The divergence in nats a frame, the median error in ms, the share within 20 ms in
        percent; the last two None where no times are known.
        """
        count = int(self.errors.sum())
        within = int(WITHIN / hop + 1e-6)
        return {
            "divergence": self.total / max(self.frames, 1.0),
            "median_ms": 1000 * hop * self._median() if count else None,
            "within_20": 100 * float(self.errors[: within + 1].sum()) / count if count else None,
        }

    def _median(self) -> float:
        """Of the errors, each spread evenly over the frame around it, as far as there is one."""
        below = np.concatenate([[0], np.cumsum(self.errors)])
        half = below[-1] / 2
        place = int(np.searchsorted(below, half, side="right")) - 1
        share = (half - below[place]) / self.errors[place]
        return max(0.0, place - 0.5) + share * (0.5 if place == 0 else 1.0)

    def to_row(self) -> list[float]:
        """All of it as numbers, for a checkpoint."""
        return [self.total, self.frames, *self.errors.tolist()]

    @classmethod
    def from_row(cls, row: Sequence[float]) -> Self:
        return cls(np.array(row[2:], np.int64), row[0], row[1])


Record = list[dict[str, Any]]
