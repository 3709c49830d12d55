"""What was said and when: the phones of an utterance in order, and the frames where they begin.

A corpus that knows times gives segments of phones and words. Phones fill a recording, pauses among
them as `SIL`; a pause shorter than a frame's step is none, and belongs to the phone before it. A
segment may hold several phones that run into each other, joined by `_` (`D_B`): where one of these
gives way to the next nobody heard, so it begins at no time (None).

Frames overlap, so a phone's first frame is the first whose middle lies in it: `Clock` knows where
middles are, and both ways between seconds and frames.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from pipeline.audio.front_end import Audio
from pipeline.audio.phones import SILENCE
from pipeline.corpora.kinds import Segment, Utterance
from pipeline.errors import UserError
from pipeline.storage.words import words_in

FUSED = "_"
_SAME = 1e-6  # seconds: times are written to the microsecond


@dataclass(frozen=True)
class Clock:
    """Where frames lie: frame t stands for the `hop` seconds that begin at `first + t * hop`.

    These are the ones around its middle; frame 0 stands for what is before them too.
    """

    hop: float
    first: float

    @classmethod
    def of(cls, front_end: Audio) -> Self:
        hop = front_end.hop_samples / front_end.sample_rate
        return cls(hop, front_end.dft_points / front_end.sample_rate / 2 - hop / 2)

    @classmethod
    def read(cls, spec: Mapping[str, Any]) -> Self:
        """The clock of the `spec.json` that the features stage wrote."""
        return cls(spec["hop"], spec["first"])

    def begins(self, starts: Sequence[int]) -> list[float]:
        """Seconds at which phones begin, by the first frame of each; the first one's are 0."""
        return [self.first + start * self.hop if start > 0 else 0.0 for start in starts]

    def starts(self, begins: Sequence[float], frames: int) -> list[int]:
        """The first frame of each phone by its seconds, so that each has a frame at least.

        Raises ValueError for more phones than frames.
        """
        if len(begins) > frames:
            raise ValueError(f"{len(begins)} phones in {frames} frames")
        found: list[int] = []
        for place, begin in enumerate(begins):
            nearest = round((begin - self.first) / self.hop) if place else 0
            latest = frames - (len(begins) - place)
            found.append(min(max(nearest, found[-1] + 1 if found else 0), latest))
        return found


@dataclass(frozen=True)
class Spoken:
    """The phones of an utterance and its words, each with the first of its phones and how many.

    `begins` are the seconds at which the phones begin, None where nobody knows, and `edges` the
    seconds at which each word begins and ends; both are empty of a corpus without times.
    """

    phones: list[str]
    words: list[tuple[str, int, int]]
    begins: list[float | None]
    edges: list[tuple[float, float]]

    def moved(self, seconds: float) -> Self:
        """The same after this much silence, which the first phone has to be."""
        later = [None if begin is None else begin + seconds for begin in self.begins]
        return type(self)(self.phones, self.words, [0.0, *later[1:]],
                          [(begin + seconds, end + seconds) for begin, end in self.edges])

    def every_begin(self, seconds: float) -> list[float]:
        """Seconds at which phones begin; those that run into each other share their time."""
        known = [*self.begins, seconds]
        found: list[float] = []
        for place, begin in enumerate(known[:-1]):
            if begin is None:
                after, end = next((number, time) for number, time in enumerate(
                    known[place:], start=1) if time is not None)
                begin = found[-1] + (end - found[-1]) / after
            found.append(begin)
        return found


def as_written(text: str, ways: Mapping[str, Sequence[Sequence[str]]]) -> Spoken:
    """The words of a text as a dictionary says them first, between two silences."""
    phones, words = [SILENCE], []
    for word in words_in(text):
        said = ways[word][0]
        words.append((word, len(phones), len(said)))
        phones += said
    return Spoken([*phones, SILENCE], words, [], [])


def begins_and_ends_with_sound(item: Utterance, seconds: float, least: float) -> bool:
    """Whether no pause of `least` seconds stands at either end of a recording, by its times."""
    phones = [segment for segment in item.segments if segment.kind == "phone"]
    return bool(phones) and phones[0].start < least and seconds - phones[-1].end < least


def as_heard(item: Utterance, seconds: float, least: float, margins: bool = False) -> Spoken:
    """The phones and words of an utterance of `seconds` by its segments.

    A pause has `least` seconds; with `margins` there is one at either end, however short. Raises
    UserError naming the file for words and phones that do not fit.
    """
    segments = [segment for segment in item.segments if segment.kind == "phone"]
    phones: list[str] = []
    begins: list[float | None] = []
    places: list[Segment] = []
    end = 0.0
    for segment in segments:
        pause = segment.start - end
        if pause >= least or (margins and not phones):
            phones.append(SILENCE)
            begins.append(end)
            places.append(Segment("phone", SILENCE, end, segment.start))
        elif not phones:
            segment = Segment("phone", segment.label, 0.0, segment.end)
        parts = segment.label.split(FUSED)
        phones += parts
        begins += [segment.start, *[None] * (len(parts) - 1)]
        places += [segment] * len(parts)
        end = segment.end
    if seconds - end >= least or margins:
        phones.append(SILENCE)
        begins.append(end)
        places.append(Segment("phone", SILENCE, end, max(seconds, end)))
    words, edges = [], []
    for word in (segment for segment in item.segments if segment.kind == "word"):
        own = [place for place, phone in enumerate(places) if phones[place] != SILENCE
               and word.start - _SAME <= (phone.start + phone.end) / 2 <= word.end + _SAME]
        if not own:
            raise UserError(f"{item.path}: no phone is heard in the word {word.label[:60]!r} at "
                            f"{word.start:.3f} s; mend the corpus's times")
        words.append((word.label, own[0], len(own)))
        edges.append((word.start, word.end))
    if not phones or not words:
        raise UserError(f"{item.path}: no phones or no words in its times; mend them")
    return Spoken(phones, words, begins, edges)
