"""Graphs of transcripts against all chains of phones that they allow, written by hand."""

from itertools import pairwise

import numpy as np
import pytest

from pipeline.hmm.graphs import NOWHERE
from pipeline.hmm.phones import SIL, Monophones, Topology
from pipeline.hmm.transcripts import Silence, Spoken, likeliest_chain, spoken

LEXICON = {"A": [["AH"], ["EY"]], "SEE": [["S", "IY"]]}


class Contexts:
    """States that are numbered by the order in which they are asked for; two a phone, SIL one."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str, str], tuple[int, ...]] = {}
        self.stay = np.full(1000, np.log(0.5))

    def states(self, left: str, phone: str, right: str) -> tuple[int, ...]:
        key = (SIL,) * 3 if phone == SIL else (left, phone, right)
        start = 2 * len(self.known)
        return self.known.setdefault(key, (start,) if phone == SIL else (start, start + 1))

    def with_stay(self, stay: np.ndarray) -> "Contexts":
        return self


def chains(found: Spoken) -> dict[tuple[int, ...], float]:
    """Every path of a graph by its nodes, each once, and its probability."""
    graph, ended = found.graph, {}
    begun = {(node,): np.exp(graph.initial[node])
             for node in np.flatnonzero(graph.initial > -np.inf).tolist()}
    while begun:
        path, probability = begun.popitem()
        if graph.final[path[-1]] > -np.inf:
            ended[path] = probability * np.exp(graph.final[path[-1]])
        for source, target, choice in zip(graph.sources, graph.targets, graph.choices,
                                          strict=True):
            if source == path[-1]:
                begun[*path, int(target)] = probability * np.exp(choice)
    return ended


def as_phones(found: Spoken, path: tuple[int, ...]) -> str:
    return " ".join(found.nodes[node].phone for node in path if found.nodes[node].position == 0)


def test_every_variant_and_silence_is_one_path_with_its_probability() -> None:
    found = spoken(["A", "SEE"], LEXICON, Contexts(), Silence(ends=0.75, between=0.25))
    by_phones = {as_phones(found, path): probability
                 for path, probability in chains(found).items()}
    expected = {}
    for variant in ("AH", "EY"):
        for before, a in (("SIL ", 0.75), ("", 0.25)):
            for between, b in ((" SIL", 0.25), ("", 0.75)):
                for behind, c in ((" SIL", 0.75), ("", 0.25)):
                    expected[f"{before}{variant}{between} S IY{behind}"] = a * b * c / 2
    assert len(by_phones) == len(chains(found)) == 16
    assert by_phones == pytest.approx(expected)


def test_neighbours_on_a_path_are_those_that_its_nodes_name() -> None:
    tied = Contexts()
    found = spoken(["A", "SEE"], LEXICON, tied)
    for path in chains(found):
        phones = [found.nodes[node] for node in path if found.nodes[node].position == 0]
        names = [SIL, *(node.phone for node in phones), SIL]
        for place, node in enumerate(phones, start=1):
            if node.phone != SIL:
                assert (node.left, node.right) == (names[place - 1], names[place + 1])
        for a, b in pairwise(path):
            assert found.nodes[b].position in (0, found.nodes[a].position + 1)
        for node in path:
            unit = found.nodes[node]
            assert found.graph.emits[node] == tied.states(unit.left, unit.phone,
                                                          unit.right)[unit.position]
    assert {node.phone: node.word for node in found.nodes} == {SIL: NOWHERE, "AH": 0, "EY": 0,
                                                               "S": 1, "IY": 1}
    # AH stands between silence and SIL or S; S behind SIL, AH or EY.
    assert {(node.left, node.right) for node in found.nodes if node.phone == "AH"} == {
        (SIL, SIL), (SIL, "S")}
    assert {node.left for node in found.nodes if node.phone == "S"} == {SIL, "AH", "EY"}


def test_arcs_lead_to_higher_nodes_sorted_by_target() -> None:
    graph = spoken(["SEE", "A", "A"], LEXICON, Contexts()).graph
    assert (graph.sources < graph.targets).all()
    pairs = list(zip(graph.targets.tolist(), graph.sources.tolist(), strict=True))
    assert pairs == sorted(set(pairs))


@pytest.mark.parametrize(("silence", "phones"), [
    (Silence(), "SIL AH S IY SIL"), (Silence(0.2, 0.9), "AH SIL S IY"),
    (Silence(1.0, 1.0), "SIL AH SIL S IY SIL"), (Silence(0.0, 0.0), "AH S IY")])
def test_the_likeliest_chain_is_the_first_variant_with_the_likelier_silences(
        silence: Silence, phones: str) -> None:
    found = spoken(["A", "SEE"], LEXICON, Contexts(), silence)
    chain = tuple(likeliest_chain(found.graph).tolist())
    assert as_phones(found, chain) == phones
    every = chains(found)
    assert every[chain] == pytest.approx(max(every.values()))


def test_without_words_there_is_silence_alone() -> None:
    found = spoken([], LEXICON, Monophones.of(Topology.of(["AH"], silence_states=4)))
    assert list(chains(found).values()) == [1.0]
    assert [node.phone for node in found.nodes] == [SIL] * 4
    assert found.graph.emits.tolist() == [0, 1, 2, 3]


def test_a_word_without_pronunciation_and_an_unknown_phone_are_refused() -> None:
    tied = Monophones.of(Topology.of(["AH"]))
    with pytest.raises(ValueError, match="the word 'SAW' has no pronunciation"):
        spoken(["SAW"], LEXICON, tied)
    with pytest.raises(KeyError, match="EY"):
        spoken(["A"], LEXICON, tied)


def test_monophones_are_numbered_in_order_whatever_their_context() -> None:
    tied = Monophones.of(Topology.of(["AH", SIL, "S"], states=2, silence_states=3))
    assert tied.states("S", SIL, "AH") == (0, 1, 2)
    assert tied.states(SIL, "AH", "S") == tied.states("S", "AH", "S") == (3, 4)
    assert tied.states(SIL, "S", SIL) == (5, 6)
    assert len(tied.stay) == 7
    assert tied.with_stay(np.log(np.full(7, 0.1))).stay[0] == pytest.approx(np.log(0.1))
