"""Some of the utterances on disk, as if there were no others."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.frames import Frames


class ChosenFrames(Frames):
    """Utterances of `whole` at `places`, in this order; `offsets` and `rows` are those of all."""

    def __init__(self, whole: Frames, places: NDArray[np.int64]) -> None:
        self.rows, self.offsets, self.places = whole.rows, whole.offsets, places

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, item: int) -> NDArray[Any]:
        return super().__getitem__(self.places[item])

    @property
    def lengths(self) -> NDArray[np.int64]:
        return super().lengths[self.places]


def share_of_each(speakers: Sequence[str], share: float) -> NDArray[np.int64]:
    """Places, in order, of a `share` of every speaker's utterances, spread evenly over them.

    `speakers` says whose each utterance is. Of each one utterance at least is chosen.
    """
    places: dict[str, list[int]] = {}
    for place, speaker in enumerate(speakers):
        places.setdefault(speaker, []).append(place)
    chosen = []
    for own in places.values():
        count = max(1, round(share * len(own)))
        chosen += [own[number * len(own) // count] for number in range(count)]
    return np.array(sorted(chosen), np.int64)
