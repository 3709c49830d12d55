"""Keys and the chords of a key, as pitch classes (0 is C)."""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

_SCALES = {False: (0, 2, 4, 5, 7, 9, 11), True: (0, 2, 3, 5, 7, 8, 11)}

# Degree of the root (from 0), which chord tone the bass has, and how many thirds are stacked.
NUMERALS = {
    "I": (0, 0, 2), "I6": (0, 1, 2), "I64": (0, 2, 2), "ii6": (1, 1, 2), "IV": (3, 0, 2),
    "IV6": (3, 1, 2), "V": (4, 0, 2), "V6": (4, 1, 2), "V7": (4, 0, 3), "vi": (5, 0, 2),
    "vii6": (6, 1, 2)}


class Key(NamedTuple):
    """A major key, or a harmonic minor key."""

    tonic: int
    minor: bool

    @property
    def scale(self) -> frozenset[int]:
        return frozenset((self.tonic + step) % 12 for step in _SCALES[self.minor])

    def related(self) -> list["Key"]:
        """Where a phrase may go: the dominant's key of the same mode, and the relative key."""
        relative = (self.tonic + (3 if self.minor else -3)) % 12
        return [Key((self.tonic + 7) % 12, self.minor), Key(relative, not self.minor)]


@dataclass(frozen=True)
class Chord:
    """Chord tones from the root upwards, the one in the bass, and the two that must move on.

    `leading` is the key's leading tone where the chord has it, `seventh` the seventh, else None.
    """

    tones: tuple[int, ...]
    bass: int
    leading: int | None
    seventh: int | None


@cache
def chord(key: Key, numeral: str) -> Chord:
    """The chord that a Roman numeral of `NUMERALS` names in a key; figures say the inversion."""
    root, inversion, thirds = NUMERALS[numeral]
    scale = _SCALES[key.minor]
    tones = tuple((key.tonic + scale[(root + 2 * third) % 7]) % 12 for third in range(thirds + 1))
    leading = (key.tonic + 11) % 12
    return Chord(tones, tones[inversion], leading if leading in tones else None,
                 tones[3] if thirds == 3 else None)
