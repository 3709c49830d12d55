"""Letters that no font of a machine has, written so that they can be read all the same.

Unicode's name of a kana or a Hangul syllable ends in its sound; an ideograph has a number, by which
it can be looked up, and so has whatever else is missing.
"""

import unicodedata
from functools import cache

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from pipeline.drawing.style import fonts

_SPOKEN = ("HIRAGANA LETTER", "KATAKANA LETTER", "HANGUL SYLLABLE", "BOPOMOFO LETTER")


def readable(text: str) -> str:
    """The text, with what no font here has in Latin letters: 'か' is 'ka' and '日' is '⟨65E5⟩'."""
    if text.isascii():
        return text
    return "".join(letter if not letter.isprintable() or _known(letter) else in_latin(letter)
                   for letter in text)


def in_latin(letter: str) -> str:
    """How a letter is written where no font has it."""
    name = unicodedata.name(letter, "")
    if name.startswith(_SPOKEN):
        return name.split()[-1].lower()
    return f"⟨{ord(letter):X}⟩"


@cache
def _known(letter: str) -> bool:
    return any(font.get_char_index(ord(letter)) for font in _loaded())


@cache
def _loaded() -> tuple[FT2Font, ...]:
    return tuple(font_manager.get_font(font_manager.findfont(name)) for name in fonts())
