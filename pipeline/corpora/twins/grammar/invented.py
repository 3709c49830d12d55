"""Words of the invented language: syllables of a consonant and a vowel, as romanised Japanese has.

A stem has two syllables and belongs to one key for good; inflection adds further ones, so that no
stem is an inflected form of another.
"""

_SYLLABLES = [consonant + vowel for consonant in "kstnhmyrgzdbpw"
              for vowel in "aiueo"]
# Prime to the number of stems: neighbours in the lexicon get stems that look unlike.
_STRIDE = 1637
_PARTICLES = {"kano", "mata", "nara", "sono", "kono", "dono", "naru"}


class Inventor:
    """Gives each key a stem of its own, in the order of first use."""

    def __init__(self) -> None:
        self._stems: dict[str, str] = {}
        self._next = 0

    def __call__(self, key: str) -> str:
        if key not in self._stems:
            self._stems[key] = self._fresh()
        return self._stems[key]

    def _fresh(self) -> str:
        size = len(_SYLLABLES)
        while True:
            first, second = divmod(self._next * _STRIDE % size**2, size)
            self._next += 1
            stem = _SYLLABLES[first] + _SYLLABLES[second]
            if stem not in _PARTICLES:
                return stem


def shared_names(count: int) -> list[str]:
    """The first `count` names that both languages have, no two alike, such as "korimen".

    Three syllables and an n: no other word of either language ends like that.
    """
    size = len(_SYLLABLES)
    names = []
    for number in range(count):
        place = number * _STRIDE**2 % size**3
        names.append(_SYLLABLES[place // size**2] + _SYLLABLES[place // size % size]
                     + _SYLLABLES[place % size] + "n")
    return names
