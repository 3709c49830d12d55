"""Which chord follows which: phrases with cadences, and the keys that they are in.

A phrase has a fixed number of chords. It opens on the tonic or near it, wanders by the usual
progressions (Piston 1941, "Harmony"), and its last three places prepare and make a cadence:
authentic (V-I), deceptive (V-vi), plagal (IV-I) or half (on V). The first and the last phrase are
in the home key, those between may be in a related one, and the last ends with an authentic
cadence.
"""

from functools import cache
from typing import NamedTuple

from pipeline.corpora.twins.harmony.chords import Key

_OPENINGS = {"I": 6.0, "I6": 1.0, "V": 1.0, "vi": 1.0}
_PROGRESSIONS = {
    "I": {"I6": 2, "ii6": 3, "IV": 3, "IV6": 1, "V": 3, "V6": 2, "V7": 1, "vi": 3, "vii6": 2},
    "I6": {"I": 1, "ii6": 3, "IV": 3, "V": 2, "vii6": 1},
    "I64": {"V": 3, "V7": 2},
    "ii6": {"I64": 2, "V": 5, "V7": 2, "vii6": 1},
    "IV": {"I": 2, "I6": 1, "I64": 1, "ii6": 2, "V": 3, "V7": 1},
    "IV6": {"I": 1, "V": 2, "V6": 1},
    "V": {"I": 6, "I6": 1, "IV6": 1, "vi": 2},
    "V6": {"I": 1},
    "V7": {"I": 4, "vi": 1},
    "vi": {"I6": 1, "ii6": 3, "IV": 3, "V": 2},
    "vii6": {"I": 2, "I6": 2},
}
_WANDERING = frozenset(_PROGRESSIONS) - {"I64"}
_PREPARATION = frozenset({"I", "I6", "I64", "ii6", "IV", "vi"})
_CADENCE = [_PREPARATION, frozenset({"ii6", "IV", "V", "V7"}), frozenset({"I", "V", "vi"})]
_LAST_CADENCE = [_PREPARATION, frozenset({"V", "V7"}), frozenset({"I"})]
_HOME = 0.4


class Place(NamedTuple):
    """Where a piece is: keys, phrase and chord of the phrase (from 0), and the chord there."""

    home: Key
    key: Key
    phrase: int
    position: int
    numeral: str


class Form(NamedTuple):
    """Phrases of a piece, chords of a phrase (at least 4), and the tonics that a home key has."""

    phrases: int
    chords: int
    tonics: tuple[int, ...] = tuple(range(12))

    def openings(self) -> list[tuple[float, Place]]:
        """The places that a piece can begin with, each with its probability."""
        homes = [Key(tonic, minor) for tonic in self.tonics for minor in (False, True)]
        return [(share / len(homes), place) for home in homes
                for share, place in _phrase_openings(home, home, 0)]

    def ends_phrase(self, place: Place) -> bool:
        return place.position == self.chords - 1

    def ends_piece(self, place: Place) -> bool:
        return self.ends_phrase(place) and place.phrase == self.phrases - 1

    def following(self, place: Place) -> list[tuple[float, Place]]:
        """The places after `place`, each with its probability; none after the last."""
        return _following(self, place)


@cache
def _following(form: Form, place: Place) -> list[tuple[float, Place]]:
    if form.ends_piece(place):
        return []
    if form.ends_phrase(place):
        return [(share * within, start) for share, key in _keys(form, place.home, place.phrase + 1)
                for within, start in _phrase_openings(place.home, key, place.phrase + 1)]
    position = place.position + 1
    possible = {numeral: weight for numeral, weight in _PROGRESSIONS[place.numeral].items()
                if numeral in _allowed(form, place.phrase, position)}
    total = sum(possible.values())
    return [(weight / total, place._replace(position=position, numeral=numeral))
            for numeral, weight in possible.items()]


def _allowed(form: Form, phrase: int, position: int) -> frozenset[str]:
    from_end = position - (form.chords - 3)
    if from_end < 0:
        return _WANDERING
    return (_LAST_CADENCE if phrase == form.phrases - 1 else _CADENCE)[from_end]


def _keys(form: Form, home: Key, phrase: int) -> list[tuple[float, Key]]:
    """The keys that a phrase can be in."""
    if phrase == form.phrases - 1:
        return [(1.0, home)]
    related = home.related()
    return [(_HOME, home), *(((1 - _HOME) / len(related), key) for key in related)]


def _phrase_openings(home: Key, key: Key, phrase: int) -> list[tuple[float, Place]]:
    total = sum(_OPENINGS.values())
    return [(weight / total, Place(home, key, phrase, 0, numeral))
            for numeral, weight in _OPENINGS.items()]
