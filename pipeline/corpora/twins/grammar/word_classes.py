"""The classes of the generated English's words, and the relations between them.

Words that one symbol of the grammar rewrites into can stand for each other: they are a class. A
relation pairs words across classes, as a noun with its plural. No text of this grammar tells which
plural is that of "key", because the two are drawn apart; it tells that "keys" is one of things.
"""

import re
from collections.abc import Iterator
from random import Random

from pipeline.corpora.twins.grammar import english
from pipeline.corpora.twins.grammar.lexicon import FULL, plural, verb
from pipeline.corpora.twins.grammar.synchronous import Word

# Nouns whose pronouns are of either gender differ in nothing but how often they are masculine.
_EITHER = re.compile(r"N\[(friend|he\d+)\]")

_BASE = {"VB", "VBP"}
# Parts of speech that the words of a relation may have, and no others.
_PARTS = {
    "plural": ({"N"}, {"N"}),
    "plural-verbs": (_BASE, {"VBZ"}),
    "past-tense": (_BASE, {"VBD", "VBN", "PASSIVE"}),
    "present-participle": (_BASE, {"VBG"}),
    "gender": ({"N", "NAME"}, {"N", "NAME"}),
}


def classes() -> dict[str, list[str]]:
    """Words by the symbol that rewrites into them, where it has more than one word."""
    found: dict[str, list[str]] = {}
    for symbol, rules in english.grammar().rules.items():
        children = [rule.children[0] for rule in rules if len(rule.children) == 1]
        words = [child.text for child in children if isinstance(child, Word)]
        if len(words) == len(rules):
            name = "N[either]" if _EITHER.fullmatch(symbol) else symbol
            found.setdefault(name, []).extend(words)
    for words in found.values():
        if "a" in words:
            words.append("an")
    return {name: words for name, words in found.items() if len(words) > 1}


def relations() -> dict[str, list[tuple[str, str]]]:
    """Pairs of words by relation. Words that are also of other parts of speech are left out."""
    known = classes()
    parts: dict[str, set[str]] = {}
    for name, words in known.items():
        for word in words:
            parts.setdefault(word, set()).add(re.split(r"[.\[]", name)[0])
    # A verb that takes two kinds of objects stands in two classes and is still one verb.
    return {relation: [(a, b) for a, b in dict.fromkeys(pairs)
                       if parts[a] <= _PARTS[relation][0] and parts[b] <= _PARTS[relation][1]]
            for relation, pairs in _pairs()}


def _pairs() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    nouns = " ".join((FULL.friends, FULL.occupations, FULL.men, FULL.women, FULL.things)).split()
    yield "plural", [(noun, plural(noun)) for noun in nouns]
    forms = [verb(entry) for name, entries in vars(FULL).items() if name.endswith("_verbs")
             for entry in entries.split()]
    yield "plural-verbs", [(form.VB, form.VBZ) for form in forms]
    yield "past-tense", [(form.VB, form.VBD) for form in forms]
    yield "present-participle", [(form.VB, form.VBG) for form in forms]
    yield "gender", [pair for men, women in ((FULL.men, FULL.women),
                                             (FULL.men_names, FULL.women_names))
                     for pair in zip(men.split(), women.split(), strict=True)]


def questions(per_relation: int, seed: int) -> dict[str, list[tuple[str, str, str, str]]]:
    """At most `per_relation` questions (a, b, c, d) of each relation, drawn from one seed.

    b and d share no class ("key keys dog dogs" would ask for any word that is like b), so an
    answer has to carry the relation over to words of another class.
    """
    random = Random(seed)
    of_word: dict[str, set[str]] = {}
    for name, words in classes().items():
        for word in words:
            of_word.setdefault(word, set()).add(name)
    found = {}
    for relation, pairs in relations().items():
        possible = [(a, b, c, d) for a, b in pairs for c, d in pairs
                    if not of_word[b] & of_word[d]]
        drawn = random.sample(range(len(possible)), min(per_relation, len(possible)))
        found[relation] = [possible[index] for index in sorted(drawn)]
    return found
