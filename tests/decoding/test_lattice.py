"""Lattices and n-best lists against all their paths, written out, and against the definitions."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.decoding.composition import compose
from pipeline.decoding.grammar import Grammar
from pipeline.decoding.lattice import Lattice, confidences
from pipeline.decoding.lattice_building import word_lattice
from pipeline.decoding.lexicon import Lexicon
from pipeline.decoding.nbest import n_best
from pipeline.decoding.network import Network, Weights
from pipeline.decoding.oracle import fewest_errors
from pipeline.decoding.search import Beam, Search
from pipeline.decoding.trace import Recognition
from tests.decoding.small import PHONES, Recogniser, frames_of, recogniser, sequences

WEIGHTS = Weights(0.5, 2.0, -0.7)


def searched(small: Recogniser, frames: NDArray[np.float64], beam: float = np.inf,
             weights: Weights = WEIGHTS) -> tuple[Recognition, Lattice]:
    network = compose(small.lexicon, small.grammar, small.tied, small.pause)
    search = Search(network, weights, Beam())
    [found] = search.recognise([frames], lattices=True)
    return found, word_lattice(search, frames, found.trace, beam)


def paths(lattice: Lattice, node: int = 0) -> Iterator[tuple[int, ...]]:
    """Every path from `node` to the end, as links."""
    if node == lattice.nodes - 1:
        yield ()
    for link in np.flatnonzero(lattice.sources == node).tolist():
        for rest in paths(lattice, int(lattice.targets[link])):
            yield (link, *rest)


def said(lattice: Lattice, path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(lattice.labels[link]) for link in path if lattice.is_word[link])


def by_words(lattice: Lattice, weights: Weights) -> dict[tuple[int, ...], float]:
    scores = lattice.scores(weights)
    best: dict[tuple[int, ...], float] = {}
    for path in paths(lattice):
        words = said(lattice, path)
        best[words] = max(best.get(words, -np.inf), float(scores[list(path)].sum()))
    return best


@pytest.mark.parametrize(("seed", "order", "length"), [(1, 2, 4), (2, 0, 6), (3, 3, 4), (4, 1, 5)])
@pytest.mark.parametrize("weights", [WEIGHTS, Weights(0.5, 0.5, 1.0)])
def test_the_n_best_are_those_of_all_paths(seed: int, order: int, length: int,
                                           weights: Weights) -> None:
    _, lattice = searched(recogniser(seed, order), frames_of(seed, length))
    best = by_words(lattice, weights)
    assert len(best) > 10
    found = n_best(lattice, weights, len(best) + 5)
    assert {one.words: one.score for one in found} == pytest.approx(best, rel=1e-9)
    assert len(found) == len(best)
    assert [one.score for one in found] == pytest.approx(sorted(best.values())[::-1], rel=1e-9)
    assert n_best(lattice, weights, 7) == found[:7]


@pytest.mark.parametrize(("seed", "order", "length"), [(1, 2, 5), (2, 0, 7), (3, 3, 4), (4, 1, 6)])
def test_the_n_best_are_those_of_all_word_sequences(seed: int, order: int, length: int) -> None:
    small, frames = recogniser(seed, order), frames_of(seed + 10, length)
    recognised, lattice = searched(small, frames)
    acoustic = {words: small.acoustic(words, WEIGHTS.acoustic * frames)
                for words in sequences(len(small.lexicon.words), 3)}
    scored = {words: found + WEIGHTS.language * small.language(words) + WEIGHTS.word * len(words)
              for words, found in acoustic.items() if found > -np.inf}
    found = [one for one in n_best(lattice, WEIGHTS, 10_000) if len(one.words) <= 3]
    assert {one.words: one.score for one in found} == pytest.approx(scored, rel=1e-9)
    assert len(found) == len(scored) > 10
    assert [one.score for one in found] == pytest.approx(sorted(scored.values())[::-1], rel=1e-9)
    for one in found:
        assert one.language == pytest.approx(small.language(one.words), rel=1e-9)
    assert found[0].words == recognised.words
    assert found[0].score == pytest.approx(recognised.score, rel=1e-9)


@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_posteriors_are_shares_of_all_paths(scale: float) -> None:
    recognised, lattice = searched(recogniser(5), frames_of(5, 6))
    every = list(paths(lattice))
    scores = lattice.scores(WEIGHTS)
    shares = np.exp(scale * np.array([scores[list(path)].sum() for path in every]))
    shares /= shares.sum()
    expected = np.zeros(len(scores))
    for path, share in zip(every, shares, strict=True):
        expected[list(path)] += share
    assert lattice.posteriors(WEIGHTS, scale) == pytest.approx(expected, abs=1e-12)
    # A confidence is the largest share of paths that say the word in one frame of its own.
    found = confidences(lattice, recognised, WEIGHTS, scale)
    for place, (word, start, end) in enumerate(
            zip(recognised.words, recognised.starts, recognised.ends, strict=True)):
        spoken = [sum(share for path, share in zip(every, shares, strict=True)
                      if any(lattice.labels[link] == word
                             and lattice.frames[lattice.sources[link]] <= frame
                             < lattice.frames[lattice.targets[link]] for link in path))
                  for frame in range(start, end)]
        assert found[place] == pytest.approx(max(spoken), abs=1e-12)
    assert len(found) == len(recognised.words) > 0


def test_a_lattice_beam_keeps_all_paths_within_it_and_nothing_else() -> None:
    small, frames = recogniser(6), frames_of(6, 7)
    recognised, whole = searched(small, frames)
    _, narrow = searched(small, frames, beam=3.0)
    every, kept = (sorted((float(lattice.scores(WEIGHTS)[list(path)].sum()), said(lattice, path))
                          for path in paths(lattice)) for lattice in (whole, narrow))
    near = [words for score, words in every if score >= recognised.score - 3.0]
    assert [words for score, words in kept if score >= recognised.score - 3.0] == near
    assert 1 < len(near) < len(every) / 4
    # Each link lies on some path within the beam.
    used = {link for path in paths(narrow)
            if narrow.scores(WEIGHTS)[list(path)].sum() >= recognised.score - 3.0 - 1e-5
            for link in path}
    assert len(used) == len(narrow.sources) < len(whole.sources)


def test_behind_a_beam_stands_what_the_search_has_seen() -> None:
    small = recogniser(2)
    network = compose(small.lexicon, small.grammar, small.tied, small.pause)
    frames = frames_of(9, 40)
    _, whole = searched(small, frames, beam=5.0)
    full = {one.words: one.score for one in n_best(whole, WEIGHTS, 50)}
    search = Search(network, WEIGHTS, Beam(7.0, 40))
    [found] = search.recognise([frames], lattices=True)
    lists = n_best(word_lattice(search, frames, found.trace, 5.0), WEIGHTS, 30)
    assert lists[0].words == found.words
    assert lists[0].score == pytest.approx(found.score, rel=1e-9)
    assert len(lists) > 15
    assert all(one.score <= full.get(one.words, np.inf) + 1e-9 for one in lists)
    assert len(full.keys() & {one.words for one in lists}) > 10
    [plain_answer] = search.recognise([frames])
    assert plain_answer.words == found.words
    with pytest.raises(ValueError, match="the search has kept no tokens; ask it for lattices"):
        word_lattice(search, frames, plain_answer.trace, 5.0)


class Plain:
    """One state a phone, whatever its neighbours; of it as likely stayed in as left."""

    stay = np.log(np.full(len(PHONES), 0.5))

    def states(self, left: str, phone: str, right: str) -> tuple[int, ...]:
        return (PHONES.index(phone),)


def plain(*words: str) -> Network:
    lexicon = Lexicon.of([(word, word.lower()) for word in words], PHONES, "SIL")
    return compose(lexicon, Grammar.uniform(len(words)), Plain())


def spoken(*states: int) -> NDArray[np.float64]:
    return np.where(np.arange(len(PHONES)) == np.array(states)[:, None], 0.0, -60.0)


def test_a_word_is_as_certain_as_what_was_heard() -> None:
    # First surely A, then between two pauses a sound three times as much B as C.
    network = plain("A", "B", "C")
    frames = spoken(1, 1, 0, 0, 2, 0)
    frames[4, 3] = frames[4, 2] - np.log(3)
    search = Search(network, Weights(), Beam())
    [found] = search.recognise([frames], lattices=True)
    lattice = word_lattice(search, frames, found.trace, 30.0)
    assert [network.words[word] for word in found.words] == ["A", "B"]
    assert confidences(lattice, found, Weights(), 1.0) == pytest.approx((1.0, 0.75), abs=1e-9)
    # Flattened to a half, the ratio is the square root of 3.
    assert confidences(lattice, found, Weights(), 0.5)[1] == pytest.approx(
        np.sqrt(3) / (1 + np.sqrt(3)), abs=1e-9)
    first, second = n_best(lattice, Weights(), 2)
    assert (first.words, second.words) == ((0, 1), (0, 2))
    assert first.score - second.score == pytest.approx(np.log(3), rel=1e-9)


def test_an_unfinished_utterance_has_its_words_and_an_empty_one_none() -> None:
    # Said are AB and the first two phones of BCA; then nothing, or a frame that no state can have.
    lexicon = Lexicon.of([("AB", "ab"), ("BCA", "bca")], PHONES, "SIL")
    network = compose(lexicon, Grammar.uniform(2), Plain())
    chosen = Search(network, Weights(), Beam(15.0))
    lost = spoken(1, 2, 2, 3, 3, 3)
    lost[4] = -np.inf
    for frames, words in ((spoken(1, 2, 2, 3), (0, 1)), (lost, (0, 1)), (np.zeros((0, 4)), ())):
        [found] = chosen.recognise([frames], lattices=True)
        lattice = word_lattice(chosen, frames, found.trace, 20.0)
        [only] = n_best(lattice, Weights(), 5)
        assert not found.finished and only.words == found.words == words
        assert only.score == pytest.approx(found.score, abs=1e-9)
        assert only.language == pytest.approx(found.language, abs=1e-9)
        assert len(confidences(lattice, found, Weights(), 1.0)) == len(words)


def test_an_oracle_takes_the_best_of_the_first_ones() -> None:
    # Against A B C D: A C D leaves one out, A B X D puts one in another's place, B A C D Y both
    # moves and adds (three errors), and the last is right.
    reference = ["A", "B", "C", "D"]
    lists = ["B A C D Y", "A C D", "B A C D Y", "A B X D", "A B C D"]
    assert fewest_errors(reference, [one.split(" ") for one in lists]) == [3, 1, 1, 1, 0]
    assert fewest_errors([], [["A", "B"], []]) == [2, 0]
    assert fewest_errors(reference, []) == []


def test_links_go_on_in_time() -> None:
    _, lattice = searched(recogniser(2), frames_of(2, 12), beam=8.0)
    assert (np.diff(lattice.frames) >= 0).all() and lattice.frames[-1] == 13
    assert (np.diff(lattice.targets) >= 0).all()
    assert (lattice.frames[lattice.sources] < lattice.frames[lattice.targets]).all()
    assert replace(lattice).groups == lattice.groups
