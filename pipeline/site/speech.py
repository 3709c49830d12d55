"""Sounds that stand beside answers: a test item's recording, or a synthetic voice that reads.

Only recordings that the project generates are played. Those of a real corpus belong to its
publisher, so a voice of espeak-ng reads there what was recognised, and the page says so. A voice
that reads knows when it says each word, and the generated corpora keep when theirs did.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from pipeline.audio.margins import with_margins
from pipeline.corpora.twins.espeak import RATE, Voice
from pipeline.corpora.twins.spoken_words import Reading, read_aloud
from pipeline.errors import UserError
from pipeline.site.items import Item, Timed, may_be_shown
from pipeline.storage.shapes import read_shaped
from pipeline.suite.schema import Suite

TASKS = ("asr", "alignment")
READER = Voice("en-us", "m3", pitch=45, pitch_range=50, words_per_minute=150)
_ENDS = (".flac", ".wav")
_A_SAMPLE = 1e-3  # seconds that the lengths of one recording may differ by


@dataclass(frozen=True)
class Sound:
    """A sound file with what is said of it; `words` are heard in it, with their times in seconds.
    """

    file: str
    content: bytes
    seconds: float
    told: str
    words: Sequence[Timed] = ()
    of_recording: bool = False


def recording(suite: Suite, track: str, identity: str, item: Item | None) -> Sound | None:
    """The recording of a test item as the systems met it; None where it is not here or not ours.

    Of an alignment track that is with the quiet that its features put around it.
    """
    entry = suite.track(track)
    if entry.task not in TASKS or not may_be_shown(suite):
        return None
    path = _recordings(suite.places.data(entry.corpus)).get(identity.rpartition("/")[2])
    if path is None:
        return None
    try:
        samples, rate = soundfile.read(path, dtype="float32")
    except soundfile.LibsndfileError as error:
        raise UserError(f"{path} is no sound that can be read ({error}); remove its corpus' folder "
                        "and run its download stage again") from None
    margins = entry.features.get("margins")
    if margins and item is not None and item.seconds is not None:
        samples, _ = with_margins(samples, rate, margins, item.given.get("text", ""))
        if abs(len(samples) / rate - item.seconds) > _A_SAMPLE:
            return None  # the recording is of another version of the corpus
    words = item.times if item is not None and item.times else _words(path)
    return Sound(f"{path.stem}.mp3", as_mp3(samples, rate), len(samples) / rate,
                 "The recording that the systems heard: a synthetic voice.", words,
                 of_recording=True)


def read_out(text: str, told: str, voice: Voice = READER) -> Sound | None:
    """A synthetic voice reads a text; None of what it cannot read."""
    try:
        reading = read_aloud(text.lower(), voice)
    except UserError:
        return None
    digest = hashlib.sha256(f"{voice} {text}".encode()).hexdigest()[:10]
    return Sound(f"read-{digest}.mp3", as_mp3(reading.samples, RATE), len(reading.samples) / RATE,
                 told, spoken_words(reading))


def spoken_words(reading: Reading) -> list[Timed]:
    """The words that a voice says, in capitals as recognisers write them, with their times."""
    return [(word.text.upper(), word.phones[0].start, word.phones[-1].end)
            for word in reading.words]


def as_mp3(samples: NDArray[np.int16] | NDArray[np.float32], rate: int) -> bytes:
    """Samples [n] at `rate` Hz as MP3, which every browser plays."""
    written = io.BytesIO()
    soundfile.write(written, samples, rate, format="MP3")
    return written.getvalue()


@lru_cache(8)
def _recordings(folder: Path) -> Mapping[str, Path]:
    return {path.stem: path for path in sorted(folder.rglob("*")) if path.suffix in _ENDS}


@lru_cache(64)
def _times(path: Path) -> Mapping[str, Mapping[str, list[list[Any]]]]:
    return read_shaped(path, dict[str, dict[str, list[list[Any]]]]) if path.is_file() else {}


def _words(path: Path) -> Sequence[Timed]:
    """When each word of a generated recording is said, from the file that lies beside it."""
    chapter = path.stem.rpartition("-")[0]
    found = _times(path.with_name(f"{chapter}.alignment.json")).get(path.stem, {})
    return [(str(word), float(begin), float(end)) for word, begin, end in found.get("words", [])]
