"""Cuts of long recordings, in signals whose pauses are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.audio.silences import Piece, cut, cut_frames, joined, levels, log_mel_levels, pauses

RATE = 8000


def spoken(*seconds: float, noise: float = 1e-3) -> NDArray[np.float32]:
    """Sound and pause in turns, sound first; a pause has nothing but noise."""
    random = np.random.default_rng(1)
    loud = np.concatenate([np.full(round(one * RATE), 1.0 if place % 2 == 0 else 0.0)
                           for place, one in enumerate(seconds)])
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(len(loud)) / RATE)
    return (tone * loud + noise * random.normal(size=len(loud))).astype(np.float32)


def covering(pieces: list[Piece], length: int) -> bool:
    edges = [0, *(piece.end for piece in pieces)]
    return [piece.begin for piece in pieces] == edges[:-1] and edges[-1] == length


def test_cuts_are_in_the_middle_of_the_longest_pauses() -> None:
    # Pauses from 3 to 3.2, 6 to 6.6, 8 to 8.3 and 13 to 13.5 seconds. The first piece of 10 seconds
    # is cut at 6.3, the next, up to 16.3, at 13.25; what then is left is 4.75 seconds long.
    samples = spoken(3, 0.2, 2.8, 0.6, 1.4, 0.3, 4.7, 0.5, 4.5)
    pieces = cut(samples, RATE, 10.0)
    assert covering(pieces, len(samples)) and all(piece.in_pause for piece in pieces)
    assert [piece.end / RATE for piece in pieces] == pytest.approx([6.3, 13.25, 18.0], abs=0.03)


def test_a_pause_in_the_first_half_serves_where_the_second_has_none() -> None:
    samples = spoken(2, 0.4, 9)
    pieces = cut(samples, RATE, 10.0)
    assert [piece.end / RATE for piece in pieces] == pytest.approx([2.2, 11.4], abs=0.03)
    assert pieces[0].in_pause


@pytest.mark.parametrize("pause", [2, 6])
def test_a_pause_is_not_cut_again_where_no_other_follows(pause: int) -> None:
    samples = spoken(20, pause, 45)
    pieces = cut(samples, RATE, 30.0)
    assert covering(pieces, len(samples)) and len(pieces) == 3
    assert min(piece.end - piece.begin for piece in pieces) > 10 * RATE
    assert [piece.in_pause for piece in pieces] == [True, False, True]


def test_a_pause_that_reaches_behind_the_longest_piece_is_cut_within_it() -> None:
    samples = spoken(9, 4, 3)
    pieces = cut(samples, RATE, 10.0)
    assert [piece.end / RATE for piece in pieces] == pytest.approx([9.5, 16.0], abs=0.03)


@pytest.mark.parametrize("noise", [0.01, 0.3])
def test_without_pauses_the_quietest_frame_is_cut_and_the_piece_says_so(noise: float) -> None:
    samples = spoken(25, noise=noise)
    samples[round(7.005 * RATE) - 40 : round(7.005 * RATE) + 40] *= 0.7
    pieces = cut(samples, RATE, 10.0)
    assert covering(pieces, len(samples)) and len(pieces) >= 3
    assert [piece.in_pause for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert all(piece.end - piece.begin <= 10 * RATE for piece in pieces)
    if noise < 0.1:
        assert pieces[0].end / RATE == pytest.approx(7.0, abs=0.011)


@pytest.mark.parametrize("pause", [0.15, 0.5])
def test_a_pause_is_found_however_little_of_a_recording_it_fills(pause: float) -> None:
    samples = spoken(28, pause, 31)
    low = pauses(levels(samples, 80), 0.01)
    assert low[2801 + 2 : round(2800 + 100 * pause) - 3].all()
    assert not low[:2797].any() and not low[round(2803 + 100 * pause):].any()
    first, *_ = cut(samples, RATE, 30.0)
    assert first.in_pause and first.end / RATE == pytest.approx(28 + pause / 2, abs=0.03)


def test_one_quiet_moment_that_is_no_pause_makes_none() -> None:
    found = np.full(6000, -20.0)
    found[3000:3004] = -60.0  # 40 ms
    assert not pauses(found, 0.01).any()
    found[5000:5003] = -40.0
    found[1000:1012] = -60.0  # 120 ms, and the mean over 50 ms is low in 100 of them
    assert np.flatnonzero(pauses(found, 0.01)).tolist() == list(range(1001, 1011))


def test_noise_alone_has_no_pause_and_silence_nothing_else() -> None:
    noise = np.random.default_rng(2).normal(0, 0.05, 30 * RATE)
    assert not pauses(levels(noise, 80), 0.01).any()
    for silence in (np.zeros(30 * RATE, np.float32), np.full(30 * RATE, 0.25, np.float32)):
        pieces = cut(silence, RATE, 10.0)
        assert covering(pieces, len(silence)) and all(piece.in_pause for piece in pieces)
        assert all(piece.end - piece.begin <= 10 * RATE for piece in pieces)
        assert len(pieces) <= 5


@pytest.mark.parametrize("length", [0, 1, 30, 79])
def test_less_than_a_frame_is_one_piece(length: int) -> None:
    assert cut(np.ones(length), RATE, 10.0) == [Piece(0, length, True)]
    assert len(levels(np.ones(length), 80)) == min(length, 1)


def test_what_is_not_too_long_is_not_cut() -> None:
    samples = spoken(4, 1, 5)
    assert cut(samples, RATE, 10.0) == [Piece(0, 10 * RATE, True)]
    # A little more, with a pause at the end alone: the last piece is no scrap.
    pieces = cut(spoken(9.8, 0.25), RATE, 10.0)
    assert len(pieces) == 2 and pieces[1].end - pieces[1].begin >= RATE / 2


@pytest.mark.parametrize("seed", range(5))
def test_pieces_cover_all_and_none_is_too_long(seed: int) -> None:
    random = np.random.default_rng(seed)
    samples = spoken(*random.uniform(0.01, 3, 40), noise=random.choice([1e-4, 1e-2]))
    for longest in (0.1, 0.5, 2.0, 7.0, 33.3):
        pieces = cut(samples, RATE, longest)
        assert covering(pieces, len(samples))
        assert all(0 < piece.end - piece.begin <= longest * RATE for piece in pieces)
        if longest > 1:  # each has room for a frame of any front end
            assert min(piece.end - piece.begin for piece in pieces) >= 0.05 * RATE


def test_closures_of_plosives_and_clicks_change_no_pause() -> None:
    found = np.full(300, -20.0)
    found[100:104] = -60.0  # 40 ms of quiet
    found[200:240] = -60.0
    found[220] = -20.0  # 10 ms of a click
    low = pauses(found, 0.01)
    assert not low[:190].any() and low[205:235].all() and not low[250:].any()


def test_log_mel_frames_have_pauses_where_the_samples_have() -> None:
    # Two filters of half the power each: 10 log10 of their sum.
    assert log_mel_levels(np.log([[0.5, 0.5], [5.0, 5.0]])) == pytest.approx([0.0, 10.0])
    frames = np.zeros((200, 4))
    frames[110:130] = -12.0
    assert cut_frames(log_mel_levels(frames), 150, 0.01) == [Piece(0, 120, True),
                                                             Piece(120, 200, True)]


def test_texts_and_times_are_joined_as_if_nothing_had_been_cut() -> None:
    pieces = [Piece(0, 8000, True), Piece(8000, 20_000, False), Piece(20_000, 24_000, True)]
    words = [[{"word": "a", "begin": 0.25, "end": 0.5, "confidence": 0.9}], [],
             [{"word": "b", "begin": 0.0, "end": 0.505}]]
    text, found = joined(pieces, RATE, ["a", "", "b"], words)
    assert text == "a b"
    assert found == [{"word": "a", "begin": 0.25, "end": 0.5, "confidence": 0.9},
                     {"word": "b", "begin": 2.5, "end": 3.0}]
    with pytest.raises(ValueError, match="3 pieces, and texts of 2"):
        joined(pieces, RATE, ["a", "b"], words)


def test_what_cannot_be_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="one channel, got shape"):
        cut(np.zeros((9, 2)), RATE, 10.0)
    with pytest.raises(ValueError, match="a tenth of a second at least"):
        cut(np.zeros(9), RATE, 0.05)
