"""The states that an utterance of known words passes through: its transcript as a graph.

Each word has one or more pronunciations, equally likely, and silence may stand before, between and
behind the words (Young et al., "The HTK Book", chapter 3). The graph is made of phones first; a
phone whose neighbours differ from path to path is then copied for each pair of neighbours, so that
each path of phones is one path of states, across words too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from pipeline.hmm.graphs import NOWHERE, Graphs, Ids
from pipeline.hmm.phones import SIL, TiedStates

Lexicon = Mapping[str, Sequence[Sequence[str]]]
"""The pronunciations of each word: one or more, each of one or more phones."""

_START, _END = -1, -2


@dataclass(frozen=True)
class Silence:
    """How likely silence is at either end of an utterance, and between two words; 0 to 1."""

    ends: float = 0.9
    between: float = 0.1


class Node(NamedTuple):
    """What a node of the graph stands for: a state, from 0, of a phone between two others.

    `word` is its place among the transcript's words, NOWHERE for silence.
    """

    left: str
    phone: str
    right: str
    position: int
    word: int


@dataclass(frozen=True)
class Spoken:
    """A transcript as a graph, whose arcs lead to higher nodes only, and what its nodes are."""

    graph: Graphs
    nodes: tuple[Node, ...]


def spoken(words: Sequence[str], lexicon: Lexicon, tied: TiedStates,
           silence: Silence = Silence()) -> Spoken:
    """The graph of an utterance of `words`; without words it is silence.

    Raises ValueError for a word without pronunciation, KeyError for a phone that `tied` lacks.
    """
    phones = _Phones()
    ends = [_START]
    for place, word in enumerate(words):
        variants = lexicon.get(word, ())
        if not variants:
            raise ValueError(f"the word {word!r} has no pronunciation")
        before = phones.silence_after(ends, silence.between if place else silence.ends)
        ends = [phones.word_after(before, variant, place, -np.log(len(variants)))
                for variant in variants]
    for end, choice in phones.silence_after(ends, silence.ends if words else 1.0):
        phones.connect(end, _END, choice)
    return phones.in_context(tied)


def likeliest_chain(graph: Graphs) -> Ids:
    """The nodes of the path with the best choices, each once; arcs lead to higher nodes only.

    Of equally good paths the one over lower nodes is taken.
    """
    best = graph.initial.copy()
    before = np.full(len(best), NOWHERE)
    for source, target, choice in zip(graph.sources, graph.targets, graph.choices, strict=True):
        if best[source] + choice > best[target]:
            best[target] = best[source] + choice
            before[target] = source
    chain = [int((best + graph.final).argmax())]
    while before[chain[-1]] != NOWHERE:
        chain.append(int(before[chain[-1]]))
    return np.array(chain[::-1])


@dataclass
class _Phones:
    """A graph of phones while it is built; `_START` and `_END` are no phones of it."""

    phones: list[tuple[str, int]] = field(default_factory=list)
    arcs: dict[tuple[int, int], float] = field(default_factory=dict)

    def connect(self, source: int, target: int, choice: float) -> None:
        if choice > -np.inf:
            self.arcs[source, target] = choice

    def add(self, phone: str, word: int) -> int:
        self.phones.append((phone, word))
        return len(self.phones) - 1

    def silence_after(self, ends: list[int], probability: float) -> list[tuple[int, float]]:
        """Where a path may be when silence may have been behind `ends`, with its choice from there.
        """
        found = []
        if probability < 1:
            found += [(end, float(np.log1p(-probability))) for end in ends]
        if probability > 0:
            pause = self.add(SIL, NOWHERE)
            for end in ends:
                self.connect(end, pause, float(np.log(probability)))
            found.append((pause, 0.0))
        return found

    def word_after(self, before: list[tuple[int, float]], variant: Sequence[str], word: int,
                   choice: float) -> int:
        """Add a pronunciation; return its last phone."""
        first = self.add(variant[0], word)
        for end, to_here in before:
            self.connect(end, first, to_here + choice)
        last = first
        for phone in variant[1:]:
            last, end = self.add(phone, word), last
            self.connect(end, last, 0.0)
        return last

    def in_context(self, tied: TiedStates) -> Spoken:
        """The graph of states; a phone is copied for each pair of neighbours that it may have."""
        nodes: list[Node] = []
        emits: list[int] = []
        copies: list[list[tuple[int, int]]] = []  # of each phone: first and last node
        arcs: dict[tuple[int, int], float] = {}
        for phone, (name, word) in enumerate(self.phones):
            copies.append([])
            for left, right in self._contexts(phone):
                states = tied.states(left, name, right)
                start = len(nodes)
                nodes += [Node(left, name, right, position, word)
                          for position in range(len(states))]
                emits += states
                copies[phone].append((start, len(nodes) - 1))
                arcs.update({(node, node + 1): 0.0 for node in range(start, len(nodes) - 1)})
        initial, final = np.full((2, len(nodes)), -np.inf)
        for (source, target), choice in self.arcs.items():
            if source == _START:
                initial[[first for first, _ in copies[target]
                         if nodes[first].left == SIL]] = choice
            elif target == _END:
                final[[last for _, last in copies[source] if nodes[last].right == SIL]] = choice
            else:
                arcs.update({(last, first): choice for _, last in copies[source]
                             for first, _ in copies[target] if _fit(nodes[last], nodes[first])})
        return Spoken(Graphs.of(np.array(emits, np.int64), arcs, initial, final), tuple(nodes))

    def _contexts(self, phone: int) -> list[tuple[str, str]]:
        """The pairs of neighbours of a phone, in the order of its arcs; silence has one."""
        if self.phones[phone][0] == SIL:
            return [(SIL, SIL)]
        lefts = dict.fromkeys(self._name(source) for source, target in self.arcs
                              if target == phone)
        rights = dict.fromkeys(self._name(target) for source, target in self.arcs
                               if source == phone)
        return [(left, right) for left in lefts for right in rights]

    def _name(self, phone: int) -> str:
        return SIL if phone in (_START, _END) else self.phones[phone][0]


def _fit(before: Node, behind: Node) -> bool:
    """Whether each of two nodes has the other's phone beside it; silence minds no neighbour."""
    return (before.phone == SIL or before.right == behind.phone) and (
        behind.phone == SIL or behind.left == before.phone)
