"""Sentence pairs: the generated English and its one translation into a verb-final language.

"He wrote a letter to a friend" becomes "he(topic) friend-to letter(object) wrote". Both orders
come from one tree, so English to verb-final is a function. The way back is ambiguous in gender
alone: he and she are one pronoun there, and a translator must guess, at best by occupation.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from random import Random

from pipeline.corpora.twins.grammar.english import spelled
from pipeline.corpora.twins.grammar.invented import shared_names
from pipeline.corpora.twins.grammar.lexicon import FULL, OCCUPATIONS
from pipeline.corpora.twins.grammar.rules import build
from pipeline.corpora.twins.grammar.synchronous import Grammar, Leaf, Word, leaves, translation

# Of the most frequent words of each class; a net learns it from some thousand pairs.
LEXICON = FULL.reduced(0.25)

# Words that tell a person's gender by themselves.
_GENDERED = frozenset(" ".join((LEXICON.men, LEXICON.women, LEXICON.men_names,
                                LEXICON.women_names)).split())

MASCULINE = frozenset({"he", "his", "himself"})
FEMININE = frozenset({"she", "her", "herself"})
_TO_MASCULINE = {("she", "PRP"): "he", ("her", "PRP"): "him", ("her", "PRP$"): "his",
                 ("herself", "PRP"): "himself"}
_TO_FEMININE = {("he", "PRP"): "she", ("him", "PRP"): "her", ("his", "PRP$"): "her",
                ("himself", "PRP"): "herself"}


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
    """A sentence in both languages, and its pronouns that refer to occupations.

    `likeliest` is the English that one who sees the verb-final sentence alone would best guess.
    """

    english: list[str]
    verb_final: list[str]
    references: list[Reference]
    likeliest: list[str]


@cache
def grammar() -> Grammar:
    """The synchronous grammar over the reduced lexicon."""
    return build(LEXICON)


def generate_pairs(count: int, seed: int, min_words: int, max_words: int,
                   known: Iterable[Pair] = ()) -> list[Pair]:
    """Draw `count` pairs of `min_words` to `max_words` English words, no two alike, none `known`.

    The same seed and limits give the same pairs, and a larger count the same beginning.
    """
    return [pair for pair, _ in islice(_drawn(seed, min_words, max_words, known), count)]


def generate_open_pairs(count: int, seed: int, min_words: int, max_words: int,
                        known: Iterable[Pair] = ()) -> list[Pair]:
    """Draw such pairs whose gender the verb-final side leaves open, `count` for each occupation.

    All pronouns of such a sentence refer to one occupation, and it has no other word with a gender.
    """
    left = dict.fromkeys(LEXICON.occupations.split(), count)
    found: list[Pair] = []
    drawn = _drawn(seed, min_words, max_words, known)
    while any(left.values()):
        pair, sentence = next(drawn)
        occupation = open_occupation(sentence)
        if occupation is not None and left[occupation]:
            left[occupation] -= 1
            found.append(pair)
    return found


def _drawn(seed: int, min_words: int, max_words: int,
           known: Iterable[Pair]) -> Iterator[tuple[Pair, list[Leaf]]]:
    """New pairs without end, each with its English words as the grammar has them."""
    random = Random(seed)
    seen = {" ".join(pair.english) for pair in known}
    while True:
        tree = grammar().sample(random)
        sentence = leaves(tree)
        if min_words <= len(sentence) <= max_words:
            english = spelled(sentence)
            if (text := " ".join(english)) not in seen:
                seen.add(text)
                yield Pair(english, translation(tree), references(sentence),
                           likeliest(sentence)), sentence


def references(sentence: list[Leaf]) -> list[Reference]:
    """Pronouns whose antecedent, followed from pronoun to pronoun, is an occupation."""
    found = []
    for position, leaf in enumerate(sentence):
        if leaf.word.needs == "gender" and leaf.word.text in MASCULINE | FEMININE:
            antecedent = _antecedent(sentence, position).word.text
            if antecedent in OCCUPATIONS:
                found.append(Reference(antecedent, leaf.word.text, position))
    return found


def likeliest(sentence: list[Leaf]) -> list[str]:
    """English with the likelier gender for each pronoun that the other language leaves open.

    Known from a man's or a woman's noun or name, one likelier for an occupation, and even for all
    else, where this takes the masculine.
    """
    guessed = []
    for position, leaf in enumerate(sentence):
        form = leaf.word.text, leaf.word.tag
        antecedent = _antecedent(sentence, position).word.text
        if form in _TO_MASCULINE | _TO_FEMININE and antecedent not in _GENDERED:
            feminine = OCCUPATIONS.get(antecedent, 0.5) < 0.5
            text = (_TO_FEMININE if feminine else _TO_MASCULINE).get(form, leaf.word.text)
            leaf = replace(leaf, word=replace(leaf.word, text=text))
        guessed.append(leaf)
    return spelled(guessed)


def open_occupation(sentence: list[Leaf]) -> str | None:
    """The occupation that all gendered pronouns refer to, if no other word tells a gender."""
    words = [leaf.word.text for leaf in sentence]
    pronouns = [position for position, word in enumerate(words)
                if word in MASCULINE | FEMININE | {"him"}]
    occupations = [word for word in words if word in OCCUPATIONS]
    if len(occupations) != 1 or not pronouns or _GENDERED.intersection(words):
        return None
    found = [item.position for item in references(sentence)]
    return occupations[0] if found == pronouns else None


def _antecedent(sentence: list[Leaf], position: int) -> Leaf:
    """What a pronoun refers to, followed from pronoun to pronoun; itself if it has nothing."""
    leaf = sentence[position]
    while leaf.word.needs == "gender" and leaf.controller is not None:
        leaf = sentence[leaf.controller]
    return leaf


def with_shared_names(pairs: Iterable[Pair], seed: int, count: int) -> list[Pair]:
    """The same pairs with names that are one word in both languages, drawn from `count` of them.

    Each name of the lexicon becomes another one in each sentence.
    """
    random = Random(seed)
    listed = shared_names(count)
    words = [word for symbol in ("NAME[man]", "NAME[woman]")
             for rule in grammar().rules[symbol]
             for word in rule.children[:1] if isinstance(word, Word)]
    renamed = []
    for pair in pairs:
        names = {word: random.choice(listed) for word in words if word.text in pair.english}
        english = {word.text: name for word, name in names.items()}
        other = {word.translation: name for word, name in names.items()}
        renamed.append(replace(
            pair, english=[english.get(word, word) for word in pair.english],
            verb_final=[other.get(word, word) for word in pair.verb_final],
            likeliest=[english.get(word, word) for word in pair.likeliest]))
    return renamed
