"""What a synthetic voice says, word by word and phone by phone, and when.

espeak-ng reports where each word and each phoneme begins, so an utterance comes with its gold
alignment and every word with the pronunciation that it has there: "the" before a vowel is another
one than before a consonant, "of" another one in "of the" than alone. Counted over many utterances
that gives a pronunciation dictionary with variants and their frequencies.

Two things espeak-ng does not say. It reads some pairs as one ("of the", "I am", "for a"), reports a
single word there, and places the words after it in the text wrongly. So words are found by sound:
the phonemes are cut into as many pieces as the text has words, each word that is reported begins a
piece, and where that leaves a choice the pieces are as near to the words spoken alone as can be (by
edit distance). And its event of a stop marks the release. The closure before it is a stretch of
samples that are exactly zero; it counts to the stop, as phoneticians do, which also is where
espeak-ng says that a word begins which begins with a stop. In a voice with an echo no closure is
silent, and within a word its stops begin with their release.

A phoneme that is several phones (`A@`, "ar") is cut into equal parts, since nothing is known of
what is inside. So is one with the phoneme after it where that has no time of its own: espeak-ng
runs [l] into the vowel before it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.kinds import Segment
from pipeline.corpora.phone_sets import from_espeak, is_pause
from pipeline.corpora.twins.espeak import RATE, Voice, speak
from pipeline.errors import UserError
from pipeline.storage.words import words_in

Pronunciation = tuple[str, ...]


@dataclass(frozen=True)
class SpokenWord:
    """A word of the text and its phones, one at least, in order of time and without gaps."""

    text: str
    phones: tuple[Segment, ...]

    @property
    def pronunciation(self) -> Pronunciation:
        return tuple(phone.label for phone in self.phones)


@dataclass(frozen=True)
class Reading:
    """Samples at 22,050 Hz, shape [n], the words heard in them, and the pauses (from, to) between.

    Times are in seconds. Words and pauses in order of time fill the recording.
    """

    samples: NDArray[np.int16]
    words: tuple[SpokenWord, ...]
    pauses: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class _Sound:
    """A phoneme event: from sample `start` to before `end`; no phones for a pause, or a glide."""

    phones: Pronunciation
    pause: bool
    begins_word: bool
    start: int
    end: int


def read_aloud(text: str, voice: Voice) -> Reading:
    """Read `text`, words apart by spaces, aloud: the samples are those of `espeak.speak`.

    Raises UserError when espeak-ng has no such voice, no table has its phones, or it says fewer
    phonemes than the text has words.
    """
    words = words_in(text)
    samples, sounds = _sounds(text, voice)
    heard = [sound for sound in sounds if not sound.pause]
    alone = [_alone(word, voice.accent, voice.variant) for word in words]
    cuts = _cuts(heard, alone)
    if cuts is None:
        raise UserError(f"espeak-ng's voice {voice.accent}+{voice.variant} reads {text[:80]!r} "
                        f"with {len(heard)} phonemes, which are no {len(words)} words; leave out "
                        "what is not spoken")
    spoken = tuple(SpokenWord(word, _phones(heard[start:end]))
                   for word, (start, end) in zip(words, pairwise(cuts), strict=True))
    return Reading(samples, spoken, _pauses(sounds))


def pronunciations(
        readings: Iterable[Reading]) -> dict[str, list[tuple[Pronunciation, int]]]:
    """How often each word was said in which way: words in order, the most frequent way first."""
    counts: dict[str, Counter[Pronunciation]] = {}
    for reading in readings:
        for word in reading.words:
            counts.setdefault(word.text, Counter())[word.pronunciation] += 1
    return {word: sorted(counts[word].items(), key=lambda item: (-item[1], item[0]))
            for word in sorted(counts)}


@lru_cache(1 << 16)
def _alone(word: str, accent: str, variant: str) -> Pronunciation:
    """The phones of a word that is spoken by itself."""
    voice = Voice(accent, variant, pitch=50, pitch_range=50, words_per_minute=175)
    return tuple(phone for sound in _sounds(word, voice)[1] for phone in sound.phones)


def _sounds(text: str, voice: Voice) -> tuple[NDArray[np.int16], list[_Sound]]:
    """The samples of a text and its phonemes, which end where the next one begins."""
    speech = speak(text, voice)
    samples = speech.samples
    named: list[tuple[str, bool, int]] = []
    word: int | None = None
    for event in speech.events:
        name, position = event.name, event.sample
        if name is None:
            word = position
            continue
        start = _closure(samples, named[-1][2] if named else 0, position) if word is None else word
        if is_pause(name):
            named.append((name, False, position))
        else:
            named.append((name, word is not None, start))
            word = None
    ends = [start for _, _, start in named[1:]] + [len(samples)]
    return samples, [
        _Sound(() if is_pause(name) else from_espeak(name, voice.accent), is_pause(name), begins,
               start, end)
        for (name, begins, start), end in zip(named, ends, strict=True)]


def _closure(samples: NDArray[np.int16], earliest: int, release: int) -> int:
    """Where the silence begins that ends at `release`, not before `earliest`."""
    sounding = np.flatnonzero(samples[earliest:release])
    return earliest + int(sounding[-1]) + 1 if len(sounding) else earliest


def _cuts(heard: Sequence[_Sound], alone: Sequence[Pronunciation]) -> list[int] | None:
    """Where each word's sounds begin, and where the last one's end; None if no cut gives all words
    a phone.

    Of all ways to cut, that with the least sum of edit distances to the words spoken alone; of
    equals that in which the first words are longest, as a linking [r] belongs to what it ends.
    """
    begins = {index for index, sound in enumerate(heard) if sound.begins_word}
    fewer = len(begins) <= len(alone)
    best: dict[int, tuple[int, list[int]]] = {0: (0, [0])}
    for number, wanted in enumerate(alone):
        found: dict[int, tuple[int, list[int]]] = {}
        for start, (cost, cuts) in sorted(best.items()):
            for end in range(start + 1, len(heard) - (len(alone) - number - 1) + 1):
                phones = [phone for sound in heard[start:end] for phone in sound.phones]
                if phones and (fewer or start in begins):
                    total = cost + _distance(phones, wanted)
                    if end not in found or total <= found[end][0]:
                        found[end] = total, [*cuts, end]
                if fewer and end in begins:
                    break
        best = found
    return best[len(heard)][1] if len(heard) in best and alone else None


def _pauses(sounds: Sequence[_Sound]) -> tuple[tuple[float, float], ...]:
    """Pauses without those of no length, neighbours joined."""
    found: list[tuple[int, int]] = []
    for sound in sounds:
        if sound.pause and sound.end > sound.start:
            joined = bool(found) and found[-1][1] == sound.start
            found.append((found.pop()[0] if joined else sound.start, sound.end))
    return tuple((start / RATE, end / RATE) for start, end in found)


def _distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Levenshtein's distance of two pronunciations."""
    row = list(range(len(other) + 1))
    for number, phone in enumerate(one, start=1):
        diagonal, row[0] = row[0], number
        for column, wanted in enumerate(other, start=1):
            diagonal, row[column] = row[column], min(
                row[column] + 1, row[column - 1] + 1, diagonal + (phone != wanted))
    return row[-1]


def _phones(sounds: Sequence[_Sound]) -> tuple[Segment, ...]:
    """The phones of one word.

    A sound without a phone belongs to the phone before it, or to the first. [r] after a vowel that
    ends in it is heard once ("hearing"), as in the CMU Pronouncing Dictionary.
    """
    pieces: list[tuple[int, list[str]]] = []
    for sound in sounds:
        last = pieces[-1][1] if pieces else []
        repeated = sound.phones == ("R",) and last[-1:] in (["R"], ["ER"])
        phones = () if repeated else sound.phones
        if not pieces or (last and phones and pieces[-1][0] < sound.start < sound.end):
            pieces.append((sound.start, []))
        pieces[-1][1].extend(phones)
    ends = [start for start, _ in pieces[1:]] + [sounds[-1].end]
    return tuple(
        Segment("phone", phone, _part(start, end, place, len(phones)),
                _part(start, end, place + 1, len(phones)))
        for (start, phones), end in zip(pieces, ends, strict=True)
        for place, phone in enumerate(phones))


def _part(start: int, end: int, place: int, count: int) -> float:
    """Seconds at which part `place` of an interval of samples begins that is cut into `count`."""
    return (start + (end - start) * place / count) / RATE
