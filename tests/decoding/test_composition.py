"""The network against chains of states that are written out, word sequence by word sequence."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.decoding.composition import compose
from pipeline.decoding.grammar import Grammar
from pipeline.decoding.lexicon import Lexicon
from pipeline.decoding.network import NOTHING, Network
from tests.decoding.small import PHONES, Tied, frames_of, recogniser, sequences


def along(network: Network, words: tuple[int, ...], frames: NDArray[np.float64],
          language: float) -> float:
    """Score of the best path through the network that says exactly `words`.

    A table over words said and nodes goes along with the frames.
    """
    weights = network.transitions + language * network.language
    begin, inner = network.sources < network.boundaries, network.targets >= network.boundaries
    best = np.full((len(words) + 1, network.nodes), -np.inf)
    best[0, network.start] = 0.0

    def move(arcs: NDArray[np.bool_], table: NDArray[np.float64], more: int) -> None:
        for said in range(len(words) + 1 - more):
            chosen = arcs if not more else arcs & (network.labels == words[said])
            np.maximum.at(table[said + more], network.targets[chosen],
                          best[said, network.sources[chosen]] + weights[chosen])

    for frame in frames:
        moved = best + network.stay
        move(begin, moved, 1)
        move(begin & (network.labels == network.silence), moved, 0)
        move(~begin & inner, moved, 0)
        best = moved + frame[network.states]
        best[:, : network.boundaries] = -np.inf
        move(~begin & ~inner, best, 0)
    ends = best[-1, : network.boundaries] + network.final_transitions
    return float((ends + language * network.final_language).max())


@pytest.mark.parametrize(("seed", "order"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3)])
def test_every_word_sequence_scores_as_its_own_chain(seed: int, order: int) -> None:
    small = recogniser(seed, order)
    network = compose(small.lexicon, small.grammar, small.tied, small.pause)
    frames = frames_of(seed, 9)
    possible = 0
    for words in sequences(len(small.lexicon.words), 3 if seed < 4 else 2):
        expected = small.acoustic(words, frames) + 2.0 * small.language(words)
        assert along(network, words, frames, 2.0) == pytest.approx(expected, rel=1e-12), words
        possible += expected > -np.inf
    assert possible > 10


def test_only_arcs_out_of_boundaries_have_labels_and_none_joins_two() -> None:
    small = recogniser(1)
    network = compose(small.lexicon, small.grammar, small.tied)
    from_boundary = network.sources < network.boundaries
    assert ((network.labels == NOTHING) == ~from_boundary).all()
    assert (network.targets[from_boundary] >= network.boundaries).all()
    assert ((network.states == NOTHING) == (np.arange(network.nodes) < network.boundaries)).all()


def test_of_equal_states_one_is_kept() -> None:
    # One word of three phones whose states do not depend on neighbours: 3 states of the word and
    # one pause behind each of two histories, the beginning and the word itself.
    class Plain:
        stay = np.log(np.full(4, 0.5))

        def states(self, left: str, phone: str, right: str) -> tuple[int, ...]:
            return (PHONES.index(phone),)

    lexicon = Lexicon.of([("ABC", "abc")], PHONES, "SIL")
    network = compose(lexicon, Grammar.uniform(1), Plain())
    # The last phone ends before a pause or before the word again: one state, two boundaries.
    assert sorted(network.states[network.boundaries :].tolist()) == [0, 0, 1, 2, 3]
    # Boundaries: the beginning, behind its pause; the word before SIL, before a, behind its pause.
    assert network.boundaries == 5
    # Pauses: into 2, out of 2. The word: into it from the start, behind two pauses and from
    # itself, 2 arcs inside, 2 arcs out.
    assert network.arcs == 2 + 2 + 4 + 2 + 2
    assert network.final_language.tolist().count(-np.inf) == 2


def test_words_that_cannot_follow_have_no_arc() -> None:
    # A may begin, B may follow A, and nothing else: two word sequences end, A and A B.
    grammar = Grammar(np.array([[1, 0], [0, 2], [0, 0]]),
                      np.log([[1.0, 1e-300], [1e-300, 0.5], [1e-300, 1e-300]]),
                      np.array([-np.inf, np.log(0.5), 0.0]))
    grammar.log_probability[grammar.log_probability < -600] = -np.inf
    lexicon = Lexicon.of([("A", "a"), ("B", "b")], PHONES, "SIL")
    network = compose(lexicon, grammar, Tied(7))
    frames = frames_of(7, 12)
    said = [words for words in sequences(2, 3) if along(network, words, frames, 1.0) > -np.inf]
    assert said == [(0,), (0, 1)]


def test_a_grammar_of_other_words_and_a_certain_pause_are_refused() -> None:
    small = recogniser(1)
    with pytest.raises(ValueError, match="the grammar has 3 words, the dictionary 4"):
        compose(small.lexicon, Grammar.uniform(3), small.tied)
    with pytest.raises(ValueError, match="between 0 and 1, got 1"):
        compose(small.lexicon, small.grammar, small.tied, 1.0)


def test_an_acoustic_model_without_states_or_probabilities_is_refused() -> None:
    small, tied = recogniser(1), Tied(1)
    tied.stay = tied.stay + 2.0
    with pytest.raises(ValueError, match=r"log P\(stay\) of some tied state is no logarithm"):
        compose(small.lexicon, small.grammar, tied)

    class Silent(Tied):
        def states(self, left: str, phone: str, right: str) -> tuple[int, ...]:
            return () if (left, phone) == ("c", "a") else super().states(left, phone, right)

    with pytest.raises(ValueError, match="the phone 'a' between 'c' and 'b' has no state"):
        compose(small.lexicon, small.grammar, Silent(1))
