"""Alignments and searches against every expansion and every sequence, written out."""

from collections import defaultdict
from itertools import combinations, pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.nn import alignment_tables
from pipeline.nn.order_synchronous import (
    Run,
    best_alignments,
    best_sequences,
    blocked,
    compress,
    expand,
    log_likelihoods,
    order_synchronous,
    order_synchronous_batch,
    posteriors,
    separated,
    time_synchronous,
)

B, IY, F, AH = range(4)
WORD = [B, IY, F, IY]


def log_probs_of(frames: int, symbols: int, seed: int) -> NDArray[np.float64]:
    logits = np.random.default_rng(seed).normal(0, 1.5, (frames, symbols))
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def all_counts(frames: int, symbols: int) -> list[list[int]]:
    """How long each symbol may last, in every way."""
    return [np.diff([0, *cuts, frames]).tolist()
            for cuts in combinations(range(1, frames), symbols - 1)]


def all_alignments(log_probs: NDArray[np.float64],
                   symbols: list[int]) -> dict[tuple[int, ...], float]:
    """Log-probability of every path of rows."""
    found = {}
    for counts in all_counts(len(log_probs), len(symbols)):
        rows = [row for row, count in enumerate(counts) for _ in range(count)]
        found[tuple(rows)] = sum(log_probs[frame, symbols[row]] for frame, row in enumerate(rows))
    return found


class TestExpansion:
    @given(st.lists(st.integers(1, 4), min_size=4, max_size=4))
    def test_compression_undoes_expansion(self, counts: list[int]) -> None:
        runs = compress(expand(WORD, counts))
        assert [run.symbol for run in runs] == WORD
        assert np.diff([-1, *(run.last for run in runs)]).tolist() == counts

    def test_the_last_run_is_a_symbol_and_has_the_last_frame(self) -> None:
        assert compress([B, B, IY, F, F, IY, IY]) == [(B, 1), (IY, 2), (F, 4), (IY, 6)]

    def test_nothing_is_nothing_and_one_frame_one_symbol(self) -> None:
        assert compress([]) == [] and compress([F]) == [Run(F, 0)]
        assert expand([], []).tolist() == []

    def test_a_symbol_needs_a_frame_and_a_count(self) -> None:
        for counts in ([1, 0, 1, 1], [1, 1, 1], [2, 1, 1, 1, 1]):
            with pytest.raises(ValueError, match="count of at least 1"):
                expand(WORD, counts)

    def test_equal_neighbours_are_refused_or_separated(self) -> None:
        with pytest.raises(ValueError, match="symbols 1 and 2 are both 1"):
            expand([B, IY, IY, F], [2, 2, 2, 2])
        found = separated([B, IY, IY, IY, F], AH)
        assert found.symbols == [B, IY, AH, IY, AH, IY, F]
        assert found.places.tolist() == [0, 1, 1, 2, 2, 3, 4]
        frames = expand(found.symbols, [2] * 7)
        assert [run.symbol for run in compress(frames, AH)] == [B, IY, IY, IY, F]
        assert [run.last for run in compress(frames, AH)] == [1, 3, 7, 11, 13]

    def test_a_sequence_without_equal_neighbours_gets_no_separator(self) -> None:
        assert separated(WORD, AH).symbols == WORD

    def test_the_separator_itself_cannot_be_separated(self) -> None:
        with pytest.raises(ValueError, match="both 3"):
            separated([B, AH, AH, B], AH)


class TestAlignment:
    @pytest.mark.parametrize("symbols", [[F], [B, IY], WORD, [IY, B, IY, B, IY], [0, 1, 2, 3] * 2])
    @pytest.mark.parametrize("frames", [8, 9])
    def test_the_best_path_is_the_best_of_all(self, symbols: list[int], frames: int) -> None:
        for seed in range(5):
            log_probs = log_probs_of(frames, 4, seed)
            (path,), (score,) = best_alignments(log_probs[None], [frames], [symbols])
            every = all_alignments(log_probs, symbols)
            assert tuple(path) == max(every, key=lambda rows: every[rows])
            assert score == pytest.approx(max(every.values()))

    @pytest.mark.parametrize("symbols", [[F], [B, IY], WORD, [IY, B, IY, B, IY], [0, 1, 2, 3] * 2])
    def test_sums_and_posteriors_are_those_of_all_paths(self, symbols: list[int]) -> None:
        log_probs = log_probs_of(9, 4, seed=7)
        every = all_alignments(log_probs, symbols)
        total = np.log(sum(np.exp(score) for score in every.values()))
        expected = np.zeros((9, len(symbols)))
        for rows, score in every.items():
            expected[np.arange(9), list(rows)] += np.exp(score - total)
        (found,), (likelihood,) = posteriors(log_probs[None], [9], [symbols])
        np.testing.assert_allclose(found, expected, atol=1e-12)
        assert likelihood == pytest.approx(total)
        assert log_likelihoods(log_probs[None], [9], [symbols])[0] == pytest.approx(total)

    def test_of_equal_paths_the_later_symbol_lasts_longest(self) -> None:
        (path,), _ = best_alignments(np.zeros((1, 6, 4)), [6], [WORD])
        assert path.tolist() == [0, 1, 2, 3, 3, 3]

    def test_an_utterance_in_company_is_as_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        random = np.random.default_rng(3)
        lengths = random.integers(6, 30, 40)
        log_probs = np.stack([log_probs_of(30, 6, seed) for seed in range(40)])
        for one, length in zip(log_probs, lengths, strict=True):
            one[length:] = np.nan  # frames behind the end may be anything
        symbols = [[run.symbol for run in compress(random.integers(0, 6, random.integers(1, 7)))]
                   for _ in lengths]
        for at_once in (1, 50, 4096):
            monkeypatch.setattr(alignment_tables, "_SYMBOLS_AT_ONCE", at_once)
            paths, scores = best_alignments(log_probs, lengths, symbols)
            shares, sums = posteriors(log_probs, lengths, symbols)
            likelihoods = log_likelihoods(log_probs, lengths, symbols)
            for place, length in enumerate(lengths):
                alone = [log_probs[place, :length]], [length], [symbols[place]]
                (path,), (score,) = best_alignments(*alone)
                (share,), (total,) = posteriors(*alone)
                assert path.tolist() == paths[place].tolist() and score == scores[place]
                assert np.array_equal(share, shares[place])
                assert total == sums[place] == likelihoods[place]

    def test_an_utterance_of_as_many_frames_as_symbols_has_one_path(self) -> None:
        log_probs = log_probs_of(4, 4, 0)
        (path,), (score,) = best_alignments([log_probs], [4], [WORD])
        assert path.tolist() == [0, 1, 2, 3]
        assert score == pytest.approx(log_probs[np.arange(4), WORD].sum())

    def test_what_is_impossible_has_no_probability_and_yet_a_path(self) -> None:
        log_probs = log_probs_of(6, 4, 0)
        log_probs[:, F] = -np.inf
        company = [log_probs, log_probs_of(6, 4, 1)]
        paths, scores = best_alignments(company, [6, 6], [WORD, WORD])
        shares, totals = posteriors(company, [6, 6], [WORD, WORD])
        assert scores[0] == totals[0] == -np.inf and np.isfinite([scores[1], totals[1]]).all()
        assert not shares[0].any() and np.allclose(shares[1].sum(axis=1), 1)
        assert set(np.diff(paths[0])) <= {0, 1} and (paths[0][0], paths[0][-1]) == (0, 3)

    def test_a_frame_that_forbids_a_symbol_is_gone_round(self) -> None:
        log_probs = log_probs_of(7, 4, 5)
        log_probs[2:4, B] = log_probs[4, F] = -np.inf
        every = all_alignments(log_probs, WORD)
        (path,), _ = best_alignments([log_probs], [7], [WORD])
        (share,), (total,) = posteriors([log_probs], [7], [WORD])
        assert tuple(path) == max(every, key=lambda rows: every[rows])
        assert total == pytest.approx(np.log(sum(np.exp(score) for score in every.values())))
        np.testing.assert_allclose(share.sum(axis=1), 1)
        assert share[2, 0] == share[3, 0] == share[4, 2] == 0

    def test_nobody_is_aligned_to_nothing(self) -> None:
        assert best_alignments([], [], [])[0] == []
        assert posteriors([], [], [])[1].shape == log_likelihoods([], [], []).shape == (0,)

    @pytest.mark.parametrize(("lengths", "symbols", "message"), [
        ([9, 3], [WORD, WORD], "utterance 1: 4 symbols do not fit 3 of 9 frames"),
        ([9, 10], [WORD, WORD], "utterance 1: 4 symbols do not fit 10 of 9 frames"),
        ([9, 9], [WORD, []], "utterance 1: 0 symbols"),
        ([9, 9], [[B, 4], WORD], "utterance 0: symbols from 0 to 3 are known, got 0 to 4"),
        ([9, 9], [[-1, B], WORD], "utterance 0: symbols from 0 to 3 are known, got -1 to 0"),
        ([9, 9], [WORD, [B, IY, IY]], "utterance 1: symbols 1 and 2 are both 1"),
        ([9], [WORD, WORD], "2 utterances, 1 lengths and 2 sequences"),
    ])
    def test_what_does_not_fit_is_refused_with_its_numbers(
            self, lengths: list[int], symbols: list[list[int]], message: str) -> None:
        log_probs = np.stack([log_probs_of(9, 4, seed) for seed in range(2)])
        for function in (best_alignments, posteriors, log_likelihoods):
            with pytest.raises(ValueError, match=message):
                function(log_probs, lengths, symbols)

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_what_is_no_log_probability_is_refused(self, bad: float) -> None:
        log_probs = log_probs_of(9, 4, 0)
        log_probs[3, F] = bad
        with pytest.raises(ValueError, match="no number"):
            best_alignments([log_probs], [9], [WORD])


class TestSearches:
    def test_symbols_of_frames_are_merged_and_placed_at_their_last_frames(self) -> None:
        log_probs = np.log([[.6, .3, .1], [.5, .4, .1], [.2, .3, .5], [.1, .6, .3], [.1, .8, .1]])
        assert time_synchronous(log_probs) == [(0, 1), (2, 2), (1, 4)]
        assert blocked(log_probs, [1, 0]) == [(0, 1), (1, 4)]
        assert blocked(log_probs, [1, 2]) == [(1, 1), (2, 2), (1, 4)]

    def test_blocking_alone_does_not_give_the_sequence(self) -> None:
        # /F/ /B/ comes out where /B/ /F/ was said: try 1 of the slides.
        log_probs = np.log([[.1, .1, .8], [.2, .2, .6], [.7, .2, .1], [.8, .1, .1]])
        assert [run.symbol for run in blocked(log_probs, [0, 2])] == [2, 0]
        (path,), _ = best_alignments(log_probs[None], [4], [[0, 2]])
        assert path.tolist() == sorted(path) and set(path) == {0, 1}

    @pytest.mark.parametrize("own", [False, True])
    @pytest.mark.parametrize("bigram", [False, True])
    def test_the_best_path_of_a_loop_is_the_best_of_all(self, own: bool, bigram: bool) -> None:
        stay = np.log([.5, .9, .7]) if own else np.log(.8)
        random = np.random.default_rng(2)
        after = random.dirichlet(np.ones(3), 3) * (1 - np.eye(3))
        after = after / after.sum(axis=1, keepdims=True)
        if not bigram:
            after = (1 - np.eye(3)) / 2
        staying = np.exp(np.broadcast_to(stay, 3))
        moves = np.diag(staying) + (1 - staying)[:, None] * after
        with np.errstate(divide="ignore"):
            follows = np.log(after) if bigram else None
        lengths = [6, 4, 1, 6]
        utterances = [log_probs_of(length, 3, seed) for seed, length in enumerate(lengths)]
        for one, found in zip(utterances, order_synchronous_batch(utterances, stay, follows),
                              strict=True):
            scores = {path: sum(np.log(moves[a, b]) for a, b in pairwise(path))
                      + one[np.arange(len(one)), list(path)].sum()
                      for path in product(range(3), repeat=len(one))}
            best = max(scores, key=lambda path: scores[path])
            runs = [(symbol, frame) for frame, symbol in enumerate(best)
                    if frame + 1 == len(best) or best[frame + 1] != symbol]
            assert found == runs
            assert order_synchronous(one, stay, follows) == runs

    def test_a_change_of_symbol_for_one_frame_is_not_worth_its_price(self) -> None:
        log_probs = np.log([[.9, .1], [.9, .1], [.4, .6], [.9, .1], [.1, .9], [.1, .9]])
        assert [run.symbol for run in time_synchronous(log_probs)] == [0, 1, 0, 1]
        assert order_synchronous(log_probs, np.log(.9)) == [(0, 3), (1, 5)]

    def test_where_all_changes_are_free_it_is_the_most_probable_symbol_of_each_frame(self) -> None:
        log_probs = log_probs_of(200, 5, 1)
        assert order_synchronous(log_probs, np.log(1 / 5)) == time_synchronous(log_probs)

    def test_staying_is_no_more_than_certain(self) -> None:
        with pytest.raises(ValueError, match="0 at most, got 0.8"):
            order_synchronous(log_probs_of(5, 3, 0), .8)
        assert len(order_synchronous(log_probs_of(5, 3, 0), 0.0)) == 1
        assert order_synchronous_batch([], 0.0) == []

    def test_the_best_sequence_is_the_best_sum_over_its_expansions(self) -> None:
        differs = 0
        utterances = [log_probs_of(6, 3, seed) * 0.5 for seed in range(20)]
        for one, found in zip(utterances, best_sequences(utterances, beam=1000), strict=True):
            sums: dict[tuple[int, ...], float] = defaultdict(float)
            for path in product(range(3), repeat=6):
                merged = tuple(symbol for frame, symbol in enumerate(path)
                               if frame == 0 or path[frame - 1] != symbol)
                sums[merged] += np.exp(one[np.arange(6), list(path)].sum())
            assert tuple(found) == max(sums, key=lambda sequence: sums[sequence])
            likelihood, = log_likelihoods([one], [6], [found])
            assert likelihood == pytest.approx(np.log(max(sums.values())))
            differs += found != [run.symbol for run in time_synchronous(one)]
        assert differs > 5  # else greedy search had done as well
