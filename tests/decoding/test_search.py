"""Beam search against every word sequence, scored by the definitions alone."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.decoding import search
from pipeline.decoding.composition import compose
from pipeline.decoding.grammar import Grammar
from pipeline.decoding.lexicon import Lexicon
from pipeline.decoding.network import Network, Weights
from pipeline.decoding.search import Beam, Search
from pipeline.decoding.trace import Recognition
from tests.decoding.small import PHONES, Recogniser, frames_of, recogniser, sequences

WIDE = Beam()


def network_of(small: Recogniser) -> Network:
    return compose(small.lexicon, small.grammar, small.tied, small.pause)


def every(small: Recogniser, frames: NDArray[np.float64],
          weights: Weights) -> dict[tuple[int, ...], tuple[float, float]]:
    """Acoustic and language score of each word sequence that can be said in these frames."""
    scored = {words: (small.acoustic(words, weights.acoustic * frames), small.language(words))
              for words in sequences(len(small.lexicon.words), len(frames))}
    return {words: found for words, found in scored.items() if found[0] > -np.inf}


@pytest.mark.parametrize(("seed", "order", "length", "weights"), [
    (1, 2, 3, Weights()), (2, 2, 3, Weights(0.5, 2.0, -1.0)), (3, 3, 3, Weights(0.3, 0.7, 0.5)),
    (4, 0, 3, Weights()), (5, 1, 3, Weights(2.0, 3.0, 1.0)), (6, 2, 4, Weights(0.4))])
def test_the_best_of_all_word_sequences_is_found(seed: int, order: int, length: int,
                                                 weights: Weights) -> None:
    small = recogniser(seed, order)
    frames = frames_of(seed, length)
    scored = every(small, frames, weights)
    totals = {words: acoustic + weights.language * language + weights.word * len(words)
              for words, (acoustic, language) in scored.items()}
    best = max(totals, key=lambda words: totals[words])
    [found] = Search(network_of(small), weights, WIDE).recognise([frames])
    assert found.words == best and found.finished
    assert found.score == pytest.approx(totals[best], rel=1e-12)
    assert found.acoustic == pytest.approx(scored[best][0], rel=1e-12)
    assert found.language == pytest.approx(scored[best][1], rel=1e-12)


@pytest.mark.parametrize(("seed", "words", "score"), [
    (1, (0, 1), -1.60221291), (2, (1, 0), 5.39509964), (3, (3, 1), 14.9466333)])
def test_longer_utterances_score_as_with_a_general_composition(
        seed: int, words: tuple[int, ...], score: float) -> None:
    # By pynini 2.1.7 (OpenFst, weights of 32 bits): shortest paths of the frames composed with
    # HMM states, context, dictionary and bigram, each a transducer of its own.
    [found] = Search(network_of(recogniser(seed)), Weights(0.5, 2.0), WIDE).recognise(
        [frames_of(100 * seed + 30, 30)])
    assert found.words == words
    assert found.score == pytest.approx(score, rel=3e-6)


def spoken(*states: int) -> NDArray[np.float64]:
    """Frames that sound like these states, and 20 nats less like any other."""
    return np.where(np.arange(len(PHONES)) == np.array(states)[:, None], 0.0, -20.0)


class Plain:
    """One state a phone, whatever its neighbours."""

    stay = np.log(np.full(len(PHONES), 0.5))

    def states(self, left: str, phone: str, right: str) -> tuple[int, ...]:
        return (PHONES.index(phone),)


def plain(words: str = "A B") -> Network:
    lexicon = Lexicon.of([(word, word.lower()) for word in words.split(" ")], PHONES, "SIL")
    return compose(lexicon, Grammar.uniform(len(lexicon.words)), Plain())


def test_words_begin_and_end_where_they_were_said() -> None:
    # a a | pause of 3 | b b b | a
    [found] = Search(plain(), Weights(), WIDE).recognise(
        [spoken(1, 1, 0, 0, 0, 2, 2, 2, 1)])
    assert (found.words, found.starts, found.ends) == ((0, 1, 0), (0, 5, 8), (2, 8, 9))
    # Three words and the end of three choices each; 8 stays and 5 leaves of 1/2; of four gaps
    # each is a pause or none with 1/2.
    assert found.language == pytest.approx(4 * np.log(1 / 3), rel=1e-12)
    assert found.acoustic == pytest.approx((5 + 4 + 4) * np.log(0.5), rel=1e-12)


def test_silence_alone_is_no_word() -> None:
    [found] = Search(plain(), Weights(), WIDE).recognise([spoken(0, 0, 0)])
    assert found.words == () and found.finished
    assert found.language == pytest.approx(np.log(1 / 3), rel=1e-12)


def test_pruning_only_ever_lowers_the_score() -> None:
    small = recogniser(3)
    network = network_of(small)
    utterances = [frames_of(seed, 30) for seed in range(8)]
    best = [found.score for found in Search(network, Weights(), WIDE).recognise(utterances)]
    lowered = 0
    for beam in [Beam(20.0), Beam(8.0), Beam(4.0), Beam(1.0), Beam(most=60), Beam(most=10),
                 Beam(6.0, 30)]:
        for whole, found in zip(best, Search(network, Weights(), beam).recognise(utterances),
                                strict=True):
            assert not found.finished or found.score <= whole
            lowered += found.score < whole
    assert lowered > 5
    # A beam as wide as all differences keeps everything.
    found = Search(network, Weights(), Beam(1e6, 10**6)).recognise(utterances)
    assert [one.score for one in found] == best


def test_the_most_tokens_allowed_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    within = search._Batch._within

    def counted(batch: search._Batch, keys: NDArray[np.int64],
                scores: NDArray[np.float64]) -> NDArray[np.int64]:
        kept = within(batch, keys, scores)
        counts.append(len(kept))
        assert len(kept) == 0 or scores[kept].min() >= np.sort(scores)[-len(kept)]
        return kept

    monkeypatch.setattr(search._Batch, "_within", counted)
    Search(network_of(recogniser(3)), Weights(), Beam(most=7)).recognise([frames_of(1, 20)])
    assert max(counts) == 7


def test_an_answer_does_not_depend_on_its_company(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of(recogniser(2))
    chosen = Search(network, Weights(0.7, 1.5, -0.3), Beam(9.0, 40))
    utterances = [frames_of(seed, length)
                  for seed, length in enumerate([7, 0, 25, 3, 25, 1, 40, 12])]
    utterances[3][1:] = -np.inf
    alone = [chosen.recognise([frames])[0] for frames in utterances]
    for size in (3, 16):
        monkeypatch.setattr(search, "UTTERANCES_AT_ONCE", size)
        for one, other in zip(alone, chosen.recognise(utterances), strict=True):
            assert same(one, other)
    assert same(alone[2], chosen.recognise(utterances[::-1])[5])


def same(one: Recognition, other: Recognition) -> bool:
    traces = zip(vars(one.trace).values(), vars(other.trace).values(), strict=True)
    return all(np.array_equal(a, b) for a, b in traces) and all(
        getattr(one, field) == getattr(other, field)
        for field in ("words", "starts", "ends", "score", "acoustic", "language", "finished"))


def test_where_no_sentence_ends_the_best_unfinished_one_is_taken() -> None:
    # Words of two and three phones, and an utterance that stops after the second of three.
    lexicon = Lexicon.of([("AB", "ab"), ("BCA", "bca")], PHONES, "SIL")
    search_ = Search(compose(lexicon, Grammar.uniform(2), Plain()), Weights(), Beam(15.0))
    [found] = search_.recognise([spoken(1, 2, 2, 3)])
    assert (found.words, found.starts, found.ends) == ((0, 1), (0, 2), (2, 4))
    assert not found.finished
    # Two words were begun and no sentence ended. Between four frames there are three moves, and
    # neither at the beginning nor between the words a pause.
    assert found.language == pytest.approx(2 * np.log(1 / 3), rel=1e-12)
    assert found.acoustic == pytest.approx((3 + 2) * np.log(0.5), rel=1e-12)


def test_an_utterance_that_nothing_can_say_is_answered_by_what_came_before() -> None:
    frames = spoken(1, 1, 2, 2, 2)
    frames[3] = -np.inf
    chosen = Search(plain(), Weights(), WIDE)
    [found] = chosen.recognise([frames])
    assert (found.words, found.starts, found.ends) == ((0, 1), (0, 2), (2, 3))
    assert not found.finished and np.isfinite(found.score)
    for hopeless in (np.full((3, 4), -np.inf), np.zeros((0, 4))):
        [found] = chosen.recognise([hopeless])
        assert (found.words, found.score, found.finished) == ((), 0.0, False)


def test_of_equal_paths_the_same_one_is_always_taken() -> None:
    # O and OH sound alike and are equally probable: the word that the dictionary has first.
    network = compose(Lexicon.of([("OH", "a"), ("O", "a")], PHONES, "SIL"), Grammar.uniform(2),
                      Plain())
    [found] = Search(network, Weights(), WIDE).recognise([spoken(1, 1, 0, 1)])
    assert [network.words[word] for word in found.words] == ["OH", "OH"]


def test_scores_of_another_shape_or_no_number_are_refused() -> None:
    chosen = Search(plain(), Weights(), WIDE)
    with pytest.raises(ValueError, match=r"utterance 1 has scores of shape \(5, 2\), expected \["):
        chosen.recognise([np.zeros((5, 4)), np.zeros((5, 2))])
    with pytest.raises(ValueError, match="utterance 0 has scores that are no number"):
        chosen.recognise([np.full((5, 4), np.nan)])
    with pytest.raises(ValueError, match="a beam needs"):
        Search(plain(), Weights(), Beam(-1.0))
    with pytest.raises(ValueError, match="a beam needs"):
        Search(plain(), Weights(), Beam(most=0))
    assert chosen.recognise([]) == []
