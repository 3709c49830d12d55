"""How a corpus's recordings become items: whole recordings of a word, or phones cut out in context.

A cut is made in samples and not in frames, so that whoever cuts the same samples into a file of
his own gets the same frames, and the same answer. Where it reaches beyond its recording, there is
digital silence.

A phone is cut in one of two ways. With `seconds` of what is heard before and after it, its length
is the speaker's, and its centre is what has to be named: the sounds around it are the same in
other cuts, where they are the centre. With a fixed number of frames around the end of the phone,
it is cut as Waibel et al. (Phoneme recognition using time-delay neural networks, IEEE Transactions
on Acoustics, Speech, and Signal Processing 37, 1989) cut /B/, /D/ and /G/: 15 frames of 10 ms
around the onset of the vowel that follows, which is where a stop's release tells its place.
"""

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipeline.audio.front_end import LogMel, Mfcc, read_audio
from pipeline.audio.phones import CLASSES, PHONES
from pipeline.corpora.kinds import Segment, Utterance
from pipeline.entries import Entry
from pipeline.errors import UserError

Samples = NDArray[np.float32]
Split = Literal["train", "valid", "test"]
Phone = Annotated[str, Field(pattern=f"^({'|'.join(PHONES)})$")]
# What carries a voice on without closing the mouth: a stop before it is heard to be released.
_CARRIES_VOICE = frozenset(CLASSES["vowel"]) | frozenset(CLASSES["approximant"])


class Recordings(Entry):
    """Items are recordings of one word, whose transcripts are their labels."""

    units: Literal["word-recordings"]


class Around(Entry):
    """A phone between what is heard before and after it."""

    seconds: float = Field(ge=0, le=1, description="before the phone, and as many after it")


class Window(Entry):
    """As many frames for each item, around the end of its phone."""

    frames: int = Field(ge=1)


class Phones(Entry):
    """Items are phones, cut out of recordings whose phones have known times."""

    units: Literal["phones"]
    labels: list[Phone] | None = Field(description="null: every phone of `least` training items")
    least: int = Field(ge=1, description="training items that a label has, before it is drawn")
    before: Literal["anything", "vowels-and-approximants"] = Field(
        description="what follows the phone without a pause")
    context: Around | Window
    most: dict[Split, Annotated[int, Field(ge=1)]] = Field(
        description="items of each label, drawn where there are more; a split may be left out")
    seed: int = Field(ge=0, description="of this draw")


Items = Annotated[Recordings | Phones, Field(discriminator="units")]


@dataclass(frozen=True)
class Item:
    """What is heard from sample `start` to before `end` of a recording; no end: to its end."""

    id: str
    speaker: str
    path: Path
    label: str
    start: int = 0
    end: int | None = None


def recordings(utterances: Sequence[Utterance]) -> list[Item]:
    """Each utterance as an item."""
    return [Item(each.id, each.speaker, each.path, each.text) for each in utterances]


def phones(settings: Phones, utterances: Sequence[Utterance],
           front_end: LogMel | Mfcc) -> list[Item]:
    """All phones that the settings may take, as cuts, in the order of the utterances.

    Raises UserError for an utterance whose phones have no times.
    """
    found: list[Item] = []
    for utterance in utterances:
        heard = [segment for segment in utterance.segments if segment.kind == "phone"]
        if not heard:
            raise UserError(f"{utterance.path}: nothing says when its phones are heard; take a "
                            "corpus that does, as the embedded twin of LibriSpeech")
        for place, (phone, following) in enumerate(zip(heard, [*heard[1:], None], strict=True)):
            if settings.before == "anything" or _carries_voice(phone, following):
                start, end = _cut(settings.context, phone, front_end)
                found.append(Item(f"{utterance.id}-{place:03d}", utterance.speaker,
                                  utterance.path, phone.label, start, end))
    return found


def _carries_voice(phone: Segment, following: Segment | None) -> bool:
    return (following is not None and following.start == phone.end
            and following.label in _CARRIES_VOICE)


def _cut(context: Around | Window, phone: Segment, front_end: LogMel | Mfcc) -> tuple[int, int]:
    """First sample and end of a phone's cut, which may lie outside of the recording."""
    rate = front_end.sample_rate
    if isinstance(context, Around):
        return (round((phone.start - context.seconds) * rate),
                round((phone.end + context.seconds) * rate))
    length = window_samples(context.frames, front_end)
    start = round(phone.end * rate) - length // 2
    return start, start + length


def window_samples(frames: int, front_end: LogMel | Mfcc) -> int:
    """How many samples have exactly as many frames."""
    return front_end.dft_points + (frames - 1) * front_end.hop_samples


def labels_of(settings: Phones, train: Sequence[Item], corpus: Path) -> list[str]:
    """The labels of a track, sorted. Raises UserError for one with too few training items."""
    counts = Counter(item.label for item in train)
    wanted = sorted(counts if settings.labels is None else settings.labels)
    for label in wanted if settings.labels else []:
        if counts[label] < settings.least:
            raise UserError(f"{corpus}: {counts[label]} training items of {label!r}, and "
                            f"{settings.least} are wanted; take more utterances, or lower "
                            "features.items.least")
    found = [label for label in wanted if counts[label] >= settings.least]
    if len(found) < 2:
        raise UserError(f"{corpus}: {len(found)} labels have {settings.least} training items, and "
                        "there is nothing to tell apart; lower features.items.least")
    return found


def drawn(items: Sequence[Item], most: int | None, seed: int, split: Split) -> list[Item]:
    """At most so many items of each label, in the order that they had."""
    if most is None:
        return list(items)
    kept: list[int] = []
    for label in sorted({item.label for item in items}):
        places = [place for place, item in enumerate(items) if item.label == label]
        random = np.random.default_rng([seed, zlib.crc32(f"{split}/{label}".encode())])
        kept += random.permutation(places)[:most].tolist()
    return [items[place] for place in sorted(kept)]


def heard(items: Sequence[Item], front_end: LogMel | Mfcc) -> Iterator[Samples]:
    """The samples of each item, [samples]; each recording is read once where its items are
    neighbours.
    """
    path, samples = None, np.zeros(0, np.float32)
    for item in items:
        if item.path != path:
            path, samples = item.path, read_audio(item.path, front_end)
        yield _between(samples, item.start, len(samples) if item.end is None else item.end)


def _between(samples: Samples, start: int, end: int) -> Samples:
    """Samples from `start` to before `end`, with silence where there are none."""
    found = np.zeros(end - start, np.float32)
    first, last = max(start, 0), min(end, len(samples))
    found[first - start : last - start] = samples[first:last]
    return found
