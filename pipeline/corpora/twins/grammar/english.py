"""Sentences of the generated English, each with its tags, marks and exact probability."""

from dataclasses import dataclass
from functools import cache
from random import Random

from pipeline.corpora.twins.grammar.lexicon import FULL
from pipeline.corpora.twins.grammar.rules import build
from pipeline.corpora.twins.grammar.synchronous import Grammar, Leaf, leaves, log_probability

# A 5-gram sees four words back.
NGRAM_REACH = 4


@dataclass(frozen=True)
class Derivation:
    """A sentence: words, Penn Treebank tags, and `log_probability` (natural, its end included).

    `marked[i]` says that word i agrees with, or answers, a word more than four words back, and
    that no word in between tells as much.
    """

    words: list[str]
    tags: list[str]
    marked: list[bool]
    log_probability: float


@cache
def grammar() -> Grammar:
    """The grammar over the whole lexicon."""
    return build(FULL)


def generate(count: int, seed: int, max_words: int | None = None) -> list[Derivation]:
    """Draw `count` sentences; those longer than `max_words` are passed over.

    The same seed gives the same text, and a larger count the same beginning. Probabilities are
    those of the whole grammar, also where `max_words` leaves sentences out.
    """
    random = Random(seed)
    found: list[Derivation] = []
    while len(found) < count:
        tree = grammar().sample(random)
        sentence = leaves(tree)
        if max_words is None or len(sentence) <= max_words:
            found.append(Derivation(spelled(sentence), [leaf.word.tag for leaf in sentence],
                                    marks(sentence), log_probability(tree)))
    return found


def marks(sentence: list[Leaf]) -> list[bool]:
    """Which words depend on a word that a 5-gram does not see."""
    return [leaf.controller is not None and position - leaf.controller > NGRAM_REACH
            for position, leaf in enumerate(sentence)]


def spelled(sentence: list[Leaf]) -> list[str]:
    """Words as they are written. The next word decides between a and an: no choice is made."""
    words = [leaf.word.text for leaf in sentence]
    return ["an" if word == "a" and _vowel(following) else word
            for word, following in zip(words, [*words[1:], ""], strict=True)]


def _vowel(word: str) -> bool:
    """Whether a word begins with the sound of a vowel."""
    return word.startswith(("a", "e", "i", "o", "u", "honest")) and not word.startswith("useful")
