"""Composition of dictionary, context-dependent phones and language model into one network.

A phone's HMM states depend on its neighbours, within words and across them: the last phone of a
word has a copy for each first phone of a word to come, the first one for each last phone of a word
before, and the only phone of a word for each pair of both. Beside a pause and at the ends of an
utterance the neighbour is silence, whose own states know no neighbours. This is the context
transducer of Mohri, Pereira and Riley 2002 ("Weighted Finite-State Transducers in Speech
Recognition"), built in its place instead of by general composition.

A boundary knows the word before it, the grammar's state, the last phone and the phone to come. A
word's probability stands at its beginning, as early as it is known, which is where a beam needs it.
Words stay apart up to their ends, so that a search sees all words which end somewhere rather than
the best of them alone (the lattice needs them). Within a word, equal ends of its variants and equal
beginnings of its last phone are shared: nodes with the same tied state and the same successors are
one node, as in the minimisation of an acyclic automaton.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.decoding.grammar import Grammar
from pipeline.decoding.lexicon import Lexicon, Pronunciation
from pipeline.decoding.network import NOTHING, Network
from pipeline.hmm.phones import TiedStates


def compose(lexicon: Lexicon, grammar: Grammar, phones: TiedStates,
            silence_probability: float = 0.5) -> Network:
    """The network of all sentences of `grammar` in the words of `lexicon`.

    `silence_probability` is that of a pause, at the beginning, between two words and at the end.
    Raises ValueError for a grammar of other words, for a probability outside 0 .. 1, ends excluded,
    for a phone without states and for log-probabilities above 0.
    """
    if grammar.words != len(lexicon.words):
        raise ValueError(f"the grammar has {grammar.words} words, {lexicon.name} "
                         f"{len(lexicon.words)}")
    if not 0 < silence_probability < 1:
        raise ValueError(f"a pause needs a probability between 0 and 1, got {silence_probability}")
    if not (np.asarray(phones.stay) <= 0.0).all():
        raise ValueError("log P(stay) of some tied state is no logarithm of a probability")
    return _Composition(lexicon, grammar, phones, silence_probability).network()


class _Boundaries:
    """Numbers of boundaries; each is a history, the last phone and the phone to come.

    A history is the word before (`NOTHING` at the beginning) and the grammar's state behind it.
    Behind a pause the last phone is silence and the phone to come is any: None.
    """

    def __init__(self, lexicon: Lexicon, grammar: Grammar) -> None:
        self._lexicon, self._grammar = lexicon, grammar
        self.histories = {(NOTHING, grammar.start): 0}
        self.numbers: dict[tuple[int, str, str | None], int] = {}
        self.continuations = [
            np.flatnonzero(row > -np.inf).tolist() for row in grammar.log_probability]
        for word, state in (waiting := list(self.histories)):
            self._add(word, state)
            for next_word in self.continuations[state]:
                after = (next_word, int(grammar.following[state, next_word]))
                if after not in self.histories:
                    self.histories[after] = len(self.histories)
                    waiting.append(after)

    def _add(self, word: int, state: int) -> None:
        history, silence = self.histories[word, state], self._lexicon.silence
        ends: list[tuple[str, str | None]] = [(silence, None)]
        if word == NOTHING:
            ends.append((silence, silence))
        else:
            lasts = dict.fromkeys(said.phones[-1] for said in self._lexicon.by_word[word])
            ends += [(last, right) for last in lasts for right in self.rights(state)]
        for last, right in ends:
            self.numbers[history, last, right] = len(self.numbers)

    def rights(self, state: int) -> list[str]:
        """What can follow directly: silence, and the first phones of words that can."""
        firsts = (said.phones[0] for word in self.continuations[state]
                  for said in self._lexicon.by_word[word])
        return list(dict.fromkeys([self._lexicon.silence, *firsts]))


class _Words:
    """The HMM states of words, shared as far as what follows them is equal."""

    def __init__(self, lexicon: Lexicon, phones: TiedStates, boundaries: _Boundaries) -> None:
        self._phones, self._silence = phones, lexicon.silence
        self._ends: dict[tuple[int, str], dict[str, int]] = {}
        for (history, last, right), number in boundaries.numbers.items():
            if right is not None:
                self._ends.setdefault((history, last), {})[right] = number
        self._after_pause = {history: number for (history, _, right), number
                             in boundaries.numbers.items() if right is None}
        self._numbers: dict[tuple[int, int, tuple[int, ...]], int] = {}
        self._begun: dict[tuple[int, tuple[str, ...], str], tuple[int, ...]] = {}
        self._first = len(boundaries.numbers)

    def nodes(self) -> list[tuple[int, tuple[int, ...]]]:
        """Tied state and successors of each node, in the order of their numbers."""
        return [(state, behind) for _, state, behind in self._numbers]

    def begin(self, history: int, said: tuple[str, ...], left: str) -> tuple[int, ...]:
        """The nodes in which a pronunciation begins behind the phone `left`.

        `history` is the one that the word leads to.
        """
        key = (history, said, left)
        if key not in self._begun:
            self._begun[key] = self._from(history, (left, *said))
        return self._begun[key]

    def pause(self, history: int) -> tuple[int, ...]:
        """The nodes in which a pause begins that leaves the history as it is."""
        states = self._states(self._silence, self._silence, self._silence)
        return self._fan(history, [(states, (self._after_pause[history],))])

    def _from(self, history: int, said: tuple[str, ...]) -> tuple[int, ...]:
        """The first nodes of `said[1:]`, whose first phone stands behind `said[0]`."""
        left, phone = said[:2]
        if len(said) > 2:
            rest = self.begin(history, said[2:], phone)
            return self._fan(history, [(self._states(left, phone, said[2]), rest)])
        return self._fan(history, [(self._states(left, phone, right), (number,))
                                   for right, number in self._ends[history, phone].items()])

    def _states(self, left: str, phone: str, right: str) -> tuple[int, ...]:
        states = self._phones.states(left, phone, right)
        if not states:
            raise ValueError(f"the phone {phone!r} between {left!r} and {right!r} has no state")
        return states

    def _fan(self, history: int,
             chains: Sequence[tuple[tuple[int, ...], tuple[int, ...]]]) -> tuple[int, ...]:
        """First nodes of chains of states, each with its successors; equal beginnings are one."""
        behind: set[int] = set()
        groups: dict[int, list[tuple[tuple[int, ...], tuple[int, ...]]]] = {}
        for states, successors in chains:
            if states:
                groups.setdefault(states[0], []).append((states[1:], successors))
            else:
                behind.update(successors)
        behind.update(self._node(history, state, self._fan(history, rest))
                      for state, rest in groups.items())
        return tuple(sorted(behind))

    def _node(self, history: int, state: int, behind: tuple[int, ...]) -> int:
        return self._numbers.setdefault((history, state, behind),
                                        self._first + len(self._numbers))


class _Composition:
    """Puts boundaries and words together."""

    def __init__(self, lexicon: Lexicon, grammar: Grammar, phones: TiedStates,
                 silence_probability: float) -> None:
        self._lexicon, self._grammar, self._phones = lexicon, grammar, phones
        self._pause = float(np.log(silence_probability))
        self._no_pause = float(np.log1p(-silence_probability))
        self._boundaries = _Boundaries(lexicon, grammar)
        self._words = _Words(lexicon, phones, self._boundaries)
        self._found: dict[tuple[int, str | None],
                          list[tuple[int, int, float, Pronunciation]]] = {}

    def network(self) -> Network:
        histories = list(self._boundaries.histories)
        arcs: list[tuple[int, int, float, float, int]] = []
        finals = []
        for (history, last, right), number in self._boundaries.numbers.items():
            word, state = histories[history]
            arcs += ((number, *arc) for arc in self._begins(history, state, last, right))
            finals.append(self._final(word, state, last, right))
        nodes = self._words.nodes()
        counts = [len(behind) for _, behind in nodes]
        inner = np.array([target for _, behind in nodes for target in behind], np.int64)
        states = np.array([state for state, _ in nodes], np.int64)
        stay = np.asarray(self._phones.stay, np.float64)[states]
        with np.errstate(divide="ignore"):
            leave = np.log1p(-np.exp(stay))
        begins = list(zip(*arcs, strict=True))
        boundaries = len(finals)
        degrees = [*np.bincount(np.array(begins[0], np.int64), minlength=boundaries), *counts]
        final_transitions, final_language = np.array(finals).T
        return Network(
            states=np.concatenate([np.full(boundaries, NOTHING), states]),
            stay=np.concatenate([np.full(boundaries, -np.inf), stay]),
            first_arc=np.concatenate([[0], np.cumsum(degrees)]).astype(np.int64),
            targets=np.concatenate([np.array(begins[1], np.int64), inner]),
            transitions=np.concatenate([begins[2], np.repeat(leave, counts)]),
            language=np.concatenate([begins[3], np.zeros(len(inner))]),
            labels=np.concatenate([begins[4], np.full(len(inner), NOTHING)]).astype(np.int64),
            final_transitions=final_transitions.copy(), final_language=final_language.copy(),
            boundaries=boundaries, start=self._start, words=self._lexicon.words)

    @property
    def _start(self) -> int:
        return self._boundaries.numbers[0, self._lexicon.silence, self._lexicon.silence]

    def _begins(self, history: int, state: int, last: str,
                right: str | None) -> list[tuple[int, float, float, int]]:
        """Arcs out of a boundary: target, transition, language model's part, label."""
        silence = self._lexicon.silence
        begins: list[tuple[int, float, float, int]] = []
        if right == silence:
            begins += ((target, self._pause, 0.0, len(self._lexicon.words))
                       for target in self._words.pause(history))
            if self._boundaries.numbers[history, last, right] != self._start:
                return begins
        weight = 0.0 if right is None else self._no_pause
        any_phone = right is None or right == silence
        return begins + [
            (target, weight + said.log_probability, language, word)
            for word, after, language, said in self._following(state, None if any_phone else right)
            for target in self._words.begin(after, said.phones, last)]

    def _following(self, state: int,
                   first: str | None) -> list[tuple[int, int, float, Pronunciation]]:
        """Pronunciations that can follow with the phone `first` (None: any).

        Each with its word before it, the history that the word leads to and its log-probability.
        """
        if (state, None) not in self._found:
            every = []
            for word in self._boundaries.continuations[state]:
                after = self._boundaries.histories[word, int(self._grammar.following[state, word])]
                language = float(self._grammar.log_probability[state, word])
                every += [(word, after, language, said) for said in self._lexicon.by_word[word]]
            self._found[state, None] = every
            for entry in every:
                self._found.setdefault((state, entry[3].phones[0]), []).append(entry)
        return self._found[state, first]

    def _final(self, word: int, state: int, last: str, right: str | None) -> tuple[float, float]:
        """Transition and language model's part of a sentence that ends in a boundary."""
        silence = self._lexicon.silence
        if right not in (None, silence) or (word == NOTHING and right == silence):
            return -np.inf, -np.inf
        end = float(self._grammar.end[state])
        if end == -np.inf:
            return -np.inf, -np.inf
        return (0.0 if right is None else self._no_pause), end
