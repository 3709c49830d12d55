"""What stands between two words of a line, and how a word stands in a file of our own.

Words are apart by spaces and tabs (U+0020, U+0009), as publishers of tokenised corpora write them,
and by nothing else. Python's `split()` also cuts at the no-break space, U+2028, U+0085 and some
twenty characters more, which stand inside words (`2<no-break space>1/2` is one of the Stanford
Sentiment Treebank's), so whoever reads, tokenises or counts words asks `words_in`; what was joined
by spaces comes back as the same words.

A file whose fields stand apart by white space or in lines holds a word as `escaped` gives it, and
`unescaped` gives it back, whatever it is. Ordinary words are as they were, backslashes included.
"""

import re
from collections.abc import Collection

_BETWEEN = re.compile(r"[ \t]+")
_BLANKS = " \t"
# All that some reader takes for a space or an end, shows as nothing, or cannot encode.
_SPECIAL = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ufeff\ud800-\udfff]|\\(?=u[0-9a-f]{4})")
_ESCAPE = re.compile(r"\\u([0-9a-f]{4})")
_EMPTY = r"\e"


def words_in(line: str) -> list[str]:
    """The words of a line."""
    return [word for word in _BETWEEN.split(line) if word]


def trimmed(text: str) -> str:
    """A text without the spaces and tabs around it."""
    return text.strip(_BLANKS)


def is_blank(line: str) -> bool:
    """Whether a line has no word."""
    return not trimmed(line)


def escaped(word: str, reserved: Collection[str] = ()) -> str:
    """A word without white space and control characters, never empty, and none of `reserved`.

    Each such character, the first one of a reserved word, and a backslash that could be taken for
    the beginning of this, is written as a backslash, `u` and four hexadecimal digits; nothing is
    a backslash and `e`. Different words stay different.
    """
    if not word:
        return _EMPTY
    if word in reserved or word == _EMPTY:
        return _code(word[0]) + _written(word[1:])
    return _written(word)


def unescaped(text: str) -> str:
    """The word that `escaped` was given."""
    if text == _EMPTY:
        return ""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def _written(text: str) -> str:
    return _SPECIAL.sub(lambda found: _code(found[0]), text)


def _code(character: str) -> str:
    return f"\\u{ord(character):04x}"
