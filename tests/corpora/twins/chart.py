"""Parsers that know only a grammar's rules: the reference for what its sampler says.

`inside` sums the probabilities of a sentence's derivations; `parses` lists the derivations of a
sentence in either language. Both are plain recursion with a table.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from pipeline.corpora.twins.grammar.synchronous import Child, Grammar, Rule, Tree, Word

Item = tuple[int | None, str]  # child and symbol, or no child and a word


def inside(grammar: Grammar, words: list[str]) -> float:
    """Probability of a sentence: `ends` maps where a phrase can end to its probability.

    No rule of the English order is left-recursive, so the recursion ends.
    """
    rules = grammar.rules

    @cache
    def ends(symbol: str, start: int) -> dict[int, float]:
        found: dict[int, float] = defaultdict(float)
        for rule in rules[symbol]:
            for end, probability in expanded(rule, start).items():
                found[end] += probability
        return found

    def expanded(rule: Rule, start: int) -> dict[int, float]:
        reached = {start: rule.probability}
        for child in rule.children:
            following: dict[int, float] = defaultdict(float)
            for place, probability in reached.items():
                if isinstance(child, Child):
                    for end, inner in ends(child.symbol, place).items():
                        following[end] += probability * inner
                elif words[place : place + 1] == [child.text]:
                    following[place + 1] += probability
            reached = following
        return reached

    return ends(grammar.start, 0).get(len(words), 0.0)


def parses(grammar: Grammar, words: list[str], verb_final: bool = False) -> list[Tree]:
    """All derivations of a sentence, read in one order or the other."""
    rules = {symbol: [(rule, _items(rule, verb_final)) for rule in found]
             for symbol, found in grammar.rules.items()}

    @cache
    def trees(symbol: str, start: int, end: int) -> list[Tree]:
        return [Tree(rule, tuple(subtrees.get(index) for index in range(len(rule.children))))
                for rule, items in rules[symbol] for subtrees in matches(items, start, end)]

    def matches(items: list[Item], start: int, end: int) -> Iterator[dict[int, Tree]]:
        if not items:
            if start == end:
                yield {}
            return
        (index, name), rest = items[0], items[1:]
        if len(items) > end - start:
            return
        if index is None:
            if words[start] == name:
                yield from matches(rest, start + 1, end)
            return
        for middle in [end] if not rest else range(start + 1, end - len(rest) + 1):
            for tree in trees(name, start, middle):
                for others in matches(rest, middle, end):
                    yield {index: tree, **others}

    return trees(grammar.start, 0, len(words))


def _items(rule: Rule, verb_final: bool) -> list[Item]:
    found: list[Item] = []
    for item in rule.order if verb_final else range(len(rule.children)):
        child = item if isinstance(item, str) else rule.children[item]
        if isinstance(child, Child):
            found.append((item, child.symbol))  # type: ignore[arg-type]
        elif isinstance(child, Word):
            found.append((None, child.translation if verb_final else child.text))
        else:
            found.append((None, child))
    return found
