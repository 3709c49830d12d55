"""One word of the training data as it sounds, for the picture of how sound becomes features.

Frames cannot be turned back into samples, and pictures are drawn where there is no corpus. So the
features stage keeps a second of samples at most, beside the test items, since training is none the
wiser for it: nothing of it is test data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from pipeline.audio.front_end import FrontEnd, LogMel, Mfcc, read_audio
from pipeline.corpora.kinds import Utterance
from pipeline.storage.arrays import read_array, write_array
from pipeline.storage.files import write_json
from pipeline.storage.shapes import read_shaped
from pipeline.storage.words import words_in

LONGEST = 1.0  # seconds
_SAMPLES, _RECORD = "example.npy", "example.json"


class _Record(TypedDict):
    id: str
    text: str
    start: float
    front_end: dict[str, Any]


@dataclass(frozen=True)
class Example:
    """`samples` [n] between -1 and 1 of training utterance `id`, from `start` (seconds) on.

    `text` is the word that is heard; what a recording of several words or more than a second says
    ends in an ellipsis, because only the loudest second of it is here.
    """

    id: str
    text: str
    start: float
    samples: NDArray[np.float32]
    front_end: LogMel | Mfcc

    def write(self, directory: Path) -> None:
        write_array(directory / _SAMPLES, self.samples)
        write_json(directory / _RECORD, {
            "id": self.id, "text": self.text, "start": self.start,
            "front_end": self.front_end.model_dump(mode="json")})

    @classmethod
    def read(cls, directory: Path) -> "Example | None":
        """What `write` wrote; None from a folder of frames that were not made from sound."""
        if not (directory / _RECORD).is_file():
            return None
        record = read_shaped(directory / _RECORD, _Record)
        front_end: LogMel | Mfcc = TypeAdapter(FrontEnd).validate_python(record["front_end"])
        return cls(record["id"], record["text"], record["start"],
                   np.array(read_array(directory / _SAMPLES)), front_end)


def example_of(utterances: Sequence[Utterance], front_end: LogMel | Mfcc) -> Example:
    """An example from training `utterances`, of which there is one at least.

    Where times of words are known it is the longest word that fits, the first of equal ones.
    Elsewhere it is the first utterance with the fewest words, or the loudest second of it.
    """
    timed = [(item, part) for item in utterances for part in item.segments if part.kind == "word"
             and part.end - part.start <= LONGEST]
    rate = front_end.sample_rate
    if timed:
        item, word = max(timed, key=lambda pair: pair[1].end - pair[1].start)
        samples = read_audio(item.path, front_end)
        first, count = _within(len(samples), round(word.start * rate),
                               max(round((word.end - word.start) * rate), front_end.dft_points))
        return Example(item.id, word.label, first / rate, samples[first : first + count], front_end)
    item = min(utterances, key=lambda one: len(words_in(one.text)))
    samples = read_audio(item.path, front_end)
    count = max(round(LONGEST * rate), front_end.dft_points)
    if len(samples) <= count:
        return Example(item.id, item.text, 0.0, samples, front_end)
    first = loudest(samples, count)
    return Example(item.id, f"{item.text} …", first / rate, samples[first : first + count],
                   front_end)


def loudest(samples: NDArray[np.float32], count: int) -> int:
    """Where the `count` samples in a row begin that have the most energy, the first of equals."""
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    return int(np.argmax(energy[count:] - energy[:-count]))


def _within(length: int, first: int, count: int) -> tuple[int, int]:
    """`count` samples from `first` on, moved and cut so that they lie in a recording."""
    count = min(count, length)
    return min(first, length - count), count
