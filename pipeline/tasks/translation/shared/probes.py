"""What an English answer to a probe says: the gender of its pronouns, whether it is fluent.

The probes are described in `scoring`, their sentences come from `probe_items`.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Literal

from pipeline.storage.words import escaped, words_in

MASCULINE = frozenset({"he", "him", "his", "himself"})
FEMININE = frozenset({"she", "her", "hers", "herself"})
BIGRAMS = "target.bigrams.gz"
GENDER = "gender/"  # begins the cluster of an occupation's sentences, which is called after it
_EDGE = "<s>"

Gender = Literal["masculine", "feminine"]


def spoken_gender(text: str) -> Gender | None:
    """The gender of a text's pronouns; None if it has none, or of both."""
    words = set(words_in(text))
    he, she = bool(words & MASCULINE), bool(words & FEMININE)
    if he == she:
        return None
    return "masculine" if he else "feminine"


def bigrams_of(text: str) -> list[str]:
    """The word bigrams of a text, with a mark before its first word and after its last."""
    words = [escaped(word, {_EDGE}) for word in words_in(text)]
    return [" ".join(pair) for pair in pairwise([_EDGE, *words, _EDGE])]


def is_fluent(text: str, bigrams: frozenset[str]) -> bool:
    """Whether a text has words, and each of its bigrams (see `bigrams_of`) is in `bigrams`.

    With the bigrams of the embedded training text 72 % of its validation sentences are fluent, and
    1 % of the same with their words shuffled: a share of fluent answers is rather too low.
    """
    return bool(words_in(text)) and bigrams.issuperset(bigrams_of(text))


def known_bigrams(sentences: Iterable[str]) -> list[str]:
    """All bigrams of the sentences, sorted."""
    return sorted({bigram for sentence in sentences for bigram in bigrams_of(sentence)})
