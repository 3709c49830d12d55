"""Sentence pairs: the generated English and its one translation into a verb-final language.

"He wrote a letter to a friend" becomes "he(topic) friend-to letter(object) wrote". Both orders
come from one tree, so English to verb-final is a function. The way back is ambiguous in gender
alone: he and she are one pronoun there, and a translator must guess, at best by occupation.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from random import Random

from pipeline.corpora.grammar.english import spelled
from pipeline.corpora.grammar.lexicon import FULL, OCCUPATIONS
from pipeline.corpora.grammar.rules import build
from pipeline.corpora.grammar.synchronous import Grammar, Leaf, leaves, translation

# Of the most frequent words of each class; a net learns it from some thousand pairs.
LEXICON = FULL.reduced(0.25)

MASCULINE = frozenset({"he", "his", "himself"})
FEMININE = frozenset({"she", "her", "herself"})


@dataclass(frozen=True)
class Reference:
    """A pronoun that refers to an occupation: position and gender say what English chose."""

    occupation: str
    pronoun: str
    position: int

    @property
    def masculine(self) -> bool:
        return self.pronoun in MASCULINE


@dataclass(frozen=True)
class Pair:
    """A sentence in both languages, and its pronouns that refer to occupations."""

    english: list[str]
    verb_final: list[str]
    references: list[Reference]


@cache
def grammar() -> Grammar:
    """The synchronous grammar over the reduced lexicon."""
    return build(LEXICON)


def generate_pairs(count: int, seed: int, min_words: int, max_words: int,
                   known: Iterable[Pair] = ()) -> list[Pair]:
    """Draw `count` pairs of `min_words` to `max_words` English words, no two alike, none `known`.

    The same seed and limits give the same pairs, and a larger count the same beginning.
    """
    random = Random(seed)
    seen = {" ".join(pair.english) for pair in known}
    found: list[Pair] = []
    while len(found) < count:
        tree = grammar().sample(random)
        sentence = leaves(tree)
        if min_words <= len(sentence) <= max_words:
            english = spelled(sentence)
            if (text := " ".join(english)) not in seen:
                seen.add(text)
                found.append(Pair(english, translation(tree), references(sentence)))
    return found


def references(sentence: list[Leaf]) -> list[Reference]:
    """Pronouns whose antecedent, followed from pronoun to pronoun, is an occupation."""
    found = []
    for position, leaf in enumerate(sentence):
        if leaf.word.needs == "gender" and leaf.word.text in MASCULINE | FEMININE:
            controller = leaf.controller
            while controller is not None and sentence[controller].word.needs == "gender":
                controller = sentence[controller].controller
            if controller is not None and sentence[controller].word.text in OCCUPATIONS:
                found.append(Reference(sentence[controller].word.text, leaf.word.text, position))
    return found
