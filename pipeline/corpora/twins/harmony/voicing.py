"""Four voices for a chord, and how voices lead from one chord to the next.

Bass, tenor, alto and soprano stay in their ranges, never cross or meet, and sound every tone of
the chord, but that a triad on its root may have three roots and no fifth; the leading tone is
never doubled. From chord to chord the voices move little. Parallel
fifths and octaves are forbidden. A leading tone that does not rise, a seventh that does not fall,
a voice that overlaps where its neighbour was and a leap of a tritone or beyond an octave are rare.
"""

from functools import cache, lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.twins.harmony.chords import Chord, Key

Voices = tuple[int, ...]  # MIDI pitches of bass, tenor, alto, soprano
Choice = tuple[NDArray[np.int64], NDArray[np.float64]]  # voicings [n, 4], their probabilities [n]

RANGES = ((40, 60), (48, 67), (55, 74), (60, 81))
WIDEST = (19, 12, 12)  # semitones between neighbouring voices
_DOUBLED = (1.0, 0.25, 0.6)  # weight of a voicing that doubles the root, the third, the fifth
_WITHOUT_FIFTH = 0.2
_STILLNESS = np.array([0.15, 0.6, 0.6, 0.4])  # a semitone's move costs so many nats
_CENTRING = 0.02  # a squared semitone from the middle of a voice's range costs so many nats
_RARE = 0.05


@cache
def voicings(chord: Chord) -> Choice:
    """Every way to sound a chord, and how it is chosen when nothing came before."""
    bass, *upper = (
        [pitch for pitch in range(low, high + 1) if pitch % 12 in wanted]
        for (low, high), wanted in zip(RANGES, [{chord.bass}, *[set(chord.tones)] * 3],
                                       strict=True))
    found = [voices for voices in product(bass, *upper) if _sounds(chord, voices)]
    table = np.array(found, np.int64)
    weights = np.array([_doubling(chord, voices) for voices in found])
    middles = np.array([(low + high) / 2 for low, high in RANGES])
    weights = weights * np.exp(-_CENTRING * ((table - middles) ** 2).sum(axis=1))
    return table, weights / weights.sum()


@lru_cache(maxsize=20_000)
def leading(before: Chord, voices: Voices, after: Chord) -> Choice:
    """The voicings of `after` and their probabilities, when `voices` sounded `before`.

    Raises ValueError when every one would move in parallel fifths or octaves.
    """
    table, alone = voicings(after)
    old = np.array(voices)
    moves = table - old
    weights = alone * np.exp(-np.abs(moves) @ _STILLNESS) * ~parallels(old, table)
    for tone, goals in ((before.leading, (1,)), (before.seventh, (-1, -2))):
        if tone is not None and any((tone + goal) % 12 in after.tones for goal in goals):
            moved = moves[:, old % 12 == tone]
            weights = weights * np.where(np.isin(moved, goals).all(axis=1), 1.0, _RARE)
    overlaps = (table[:, 1:] < old[:-1]).any(axis=1) | (table[:, :-1] > old[1:]).any(axis=1)
    leaps = ((np.abs(moves) == 6) | (np.abs(moves) > 12)).any(axis=1)
    weights = weights * np.where(overlaps, _RARE, 1.0) * np.where(leaps, _RARE, 1.0)
    if not weights.any():
        raise ValueError(f"no voicing of {after} can follow {voices}")
    return table, weights / weights.sum()


def parallels(old: NDArray[np.int64], table: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the voicings `table` [n, 4] follow `old` [4] in parallel fifths or octaves."""
    found = np.zeros(len(table), bool)
    for low in range(len(old)):
        for high in range(low + 1, len(old)):
            interval = (old[high] - old[low]) % 12
            if interval in (0, 7):
                found |= (((table[:, high] - table[:, low]) % 12 == interval)
                          & (table[:, low] != old[low]))
    return found


def passing(key: Key, before: Voices, after: Voices) -> list[Voices]:
    """What can sound between two chords: one voice that moves by a third fills it with a step."""
    found = []
    for voice, (low, high) in enumerate(zip(before, after, strict=True)):
        if abs(high - low) not in (3, 4):
            continue
        for pitch in range(min(low, high) + 1, max(low, high)):
            between = (*before[:voice], pitch, *before[voice + 1 :])
            if (pitch % 12 in key.scale and max(abs(pitch - low), abs(pitch - high)) <= 2
                    and _ascend(between)):
                found.append(between)
    return found


def _sounds(chord: Chord, voices: Voices) -> bool:
    classes = [pitch % 12 for pitch in voices]
    close = all(high - low <= widest for low, high, widest
                in zip(voices, voices[1:], WIDEST, strict=False))
    return (_ascend(voices) and close
            and (set(classes) == set(chord.tones) or _without_fifth(chord, voices))
            and (chord.leading is None or classes.count(chord.leading) == 1))


def _without_fifth(chord: Chord, voices: Voices) -> bool:
    root, third, *_ = chord.tones
    return (chord.seventh is None and chord.bass == root
            and sorted(pitch % 12 for pitch in voices) == sorted([root] * 3 + [third]))


def _doubling(chord: Chord, voices: Voices) -> float:
    if chord.seventh is not None:
        return 1.0
    if _without_fifth(chord, voices):
        return _WITHOUT_FIFTH
    classes = [pitch % 12 for pitch in voices]
    return next(weight for tone, weight in zip(chord.tones, _DOUBLED, strict=True)
                if classes.count(tone) == 2)


def _ascend(voices: Voices) -> bool:
    return all(low < high for low, high in zip(voices, voices[1:], strict=False))
