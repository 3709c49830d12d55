"""Synchronous probabilistic context-free grammars: one tree, two word orders.

A rule rewrites a symbol into children, and says in which order, and between which particles, the
same children stand in the other language (Lewis and Stearns 1968; Wu 1997; Chiang 2005). The
probability of a derivation is the product of its rules' probabilities. Where the grammar is
unambiguous it is also the probability of the string, end of the sentence included.

Notation. Children are words apart: `NP VP`. A literal is lower-case with its tag: `that/WDT`. The
other order names children by number and writes particles out: `2 o 1`.

Long dependencies. Some words carry a feature (a noun its number) and some need it (a verb agrees).
`either/CC>pair` carries `pair`, `or/CC<pair` needs it; a scope remembers the last word that
carried each feature, which is the nearest sign of it. A child with `new:` before it has a scope of
its own, empty: a verb finds its own subject, not a noun inside a prepositional phrase.
"""

import math
from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random


@dataclass(frozen=True, slots=True)
class Word:
    """A terminal: the word, its Penn Treebank tag, its translation, the features it handles."""

    text: str
    tag: str
    translation: str = ""
    needs: str = ""
    carries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Child:
    """A nonterminal in a rule, and whether it has a scope of its own."""

    symbol: str
    new_scope: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to rewrite a symbol; `order` has child indices from 0 and particles."""

    probability: float
    children: tuple[Child | Word, ...]
    order: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """A derivation: the rule, and a subtree for each child that is not a word (else None)."""

    rule: Rule
    subtrees: tuple["Tree | None", ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A word of the sentence; `controller` is the position of the word that it depends on."""

    word: Word
    controller: int | None


class Grammar:
    """Rules by symbol. Weights of `add` need not sum to one: they are normalised by symbol."""

    def __init__(self, start: str) -> None:
        self.start = start
        self._weighted: dict[str, list[Rule]] = {}
        self._branches: dict[str, _Branches] = {}

    def add(self, symbol: str, weight: float, children: str, order: str) -> None:
        """Add a rule in the notation of this module."""
        self._add(symbol, weight, tuple(map(_child, children.split())),
                  tuple(int(item) - 1 if item.isdigit() else item for item in order.split()))

    def add_words(self, symbol: str, words: Iterable[tuple[float, Word]]) -> None:
        """Add words that `symbol` rewrites into, with their weights."""
        for weight, word in words:
            self._add(symbol, weight, (word,), (0,))

    def _add(self, symbol: str, weight: float, children: tuple[Child | Word, ...],
             order: tuple[int | str, ...]) -> None:
        self._weighted.setdefault(symbol, []).append(Rule(weight, children, order))
        self._branches.clear()

    @property
    def rules(self) -> dict[str, list[Rule]]:
        """All rules by symbol, with probabilities that sum to one."""
        return {symbol: _normalised(rules) for symbol, rules in self._weighted.items()}

    def sample(self, random: Random) -> Tree:
        """Draw a tree from the start symbol."""
        if not self._branches:
            self._branches = {symbol: _Branches(rules) for symbol, rules in self.rules.items()}
        return self._expand(self.start, random)

    def _expand(self, symbol: str, random: Random) -> Tree:
        branches = self._branches[symbol]
        index = bisect(branches.cumulative, random.random(), 0, branches.last)
        if (ready := branches.ready[index]) is not None:
            return ready
        return Tree(branches.rules[index], tuple(
            [None if name is None else self._expand(name, random)
             for name in branches.symbols[index]]))


class _Branches:
    """What a symbol rewrites into, made ready for drawing: a rule of words alone is one tree."""

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = rules
        self.last = len(rules) - 1
        self.cumulative = list(accumulate(rule.probability for rule in rules))
        self.symbols = [[child.symbol if isinstance(child, Child) else None
                         for child in rule.children] for rule in rules]
        self.ready = [None if any(symbols) else Tree(rule, (None,) * len(symbols))
                      for rule, symbols in zip(rules, self.symbols, strict=True)]


def _normalised(rules: list[Rule]) -> list[Rule]:
    total = math.fsum(rule.probability for rule in rules)
    return [replace(rule, probability=rule.probability / total) for rule in rules]


def log_probability(tree: Tree) -> float:
    """Natural log of the probability of a derivation."""
    total, waiting = 0.0, [tree]
    while waiting:
        tree = waiting.pop()
        total += math.log(tree.rule.probability)
        waiting.extend([subtree for subtree in tree.subtrees if subtree is not None])
    return total


def leaves(tree: Tree) -> list[Leaf]:
    """The words in English order, each with the word that controls it."""
    found: list[Leaf] = []
    _collect(tree, {}, found)
    return found


def _collect(tree: Tree, scope: dict[str, int], found: list[Leaf]) -> None:
    for child, subtree in zip(tree.rule.children, tree.subtrees, strict=True):
        if isinstance(child, Word):
            found.append(Leaf(child, scope.get(child.needs)))
            for feature in child.carries:
                scope[feature] = len(found) - 1
        else:
            assert subtree is not None
            _collect(subtree, {} if child.new_scope else scope, found)


def translation(tree: Tree) -> list[str]:
    """The words of the same tree in the other order, with particles and translated words."""
    found: list[str] = []
    _translate(tree, found)
    return found


def _translate(tree: Tree, found: list[str]) -> None:
    for item in tree.rule.order:
        if isinstance(item, str):
            found.append(item)
            continue
        child, subtree = tree.rule.children[item], tree.subtrees[item]
        if isinstance(child, Word):
            found.extend(child.translation.split())
        else:
            assert subtree is not None
            _translate(subtree, found)


def _child(text: str) -> Child | Word:
    """`NP`, `new:NP`, `that/WDT`, `either/CC>pair`, `or/CC<pair`."""
    if "/" not in text:
        return Child(text.removeprefix("new:"), text.startswith("new:"))
    word, _, rest = text.partition("/")
    rest, _, carries = rest.partition(">")
    tag, _, needs = rest.partition("<")
    return Word(word, tag, "", needs, tuple(carries.split(",")) if carries else ())
