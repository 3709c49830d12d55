"""Seconds and frames, and what was said between which seconds, against times set by hand."""

from pathlib import Path

import pytest

from pipeline.audio.front_end import LogMel
from pipeline.corpora.kinds import Segment, Utterance
from pipeline.errors import UserError
from pipeline.tasks.alignment.shared.spoken import (
    Clock,
    Spoken,
    as_heard,
    as_written,
    begins_and_ends_with_sound,
)
from tests.tasks.alignment.toned import FEATURES

CLOCK = Clock.of(LogMel.model_validate(FEATURES["front_end"]))


def utterance(phones: str, words: str) -> Utterance:
    """Of segments `LABEL:BEGIN-END`."""
    segments = []
    for kind, texts in (("phone", phones), ("word", words)):
        for text in texts.split():
            label, _, times = text.partition(":")
            begin, _, end = times.partition("-")
            segments.append(Segment(kind, label, float(begin), float(end)))  # type: ignore[arg-type]
    return Utterance("u", "s", Path("u.wav"), "", tuple(segments))


def test_a_boundary_is_halfway_between_the_middles_of_two_frames() -> None:
    # Windows of 25 ms every 10 ms: frame 4 has its middle at 52.5 ms, frame 5 at 62.5 ms.
    assert CLOCK.begins([0, 5, 9]) == pytest.approx([0.0, 0.0575, 0.0975])
    assert CLOCK.begins([0, 1])[1] == pytest.approx(0.0175)


def test_a_phone_begins_at_the_first_frame_whose_middle_lies_in_it() -> None:
    # 0.053 is behind the middle of frame 4 and 0.052 before it.
    assert CLOCK.starts([0.0, 0.053], 100) == [0, 5]
    assert CLOCK.starts([0.0, 0.052], 100) == [0, 4]
    every = list(range(0, 300, 7))
    assert CLOCK.starts(CLOCK.begins(every), 300) == every


def test_each_phone_has_a_frame_at_least() -> None:
    assert CLOCK.starts([0.0, 0.001, 0.002, 0.5], 60) == [0, 1, 2, 49]
    assert CLOCK.starts([0.0, 0.5, 0.6, 0.61], 10) == [0, 7, 8, 9]
    assert CLOCK.starts([0.0, 0.0, 0.0], 3) == [0, 1, 2]
    with pytest.raises(ValueError, match="3 phones in 2 frames"):
        CLOCK.starts([0.0, 0.1, 0.2], 2)


def test_a_clock_is_read_as_it_was_written() -> None:
    assert Clock.read({"hop": CLOCK.hop, "first": CLOCK.first}) == CLOCK


def test_silence_fills_what_phones_leave() -> None:
    heard = as_heard(utterance("N:0.1-0.2 OW:0.2-0.3 S:0.35-0.4 IY:0.4-0.5",
                               "NO:0.1-0.3 SEE:0.35-0.5"), 0.7, 0.01)
    assert heard.phones == ["SIL", "N", "OW", "SIL", "S", "IY", "SIL"]
    assert heard.begins == [0.0, 0.1, 0.2, 0.3, 0.35, 0.4, 0.5]
    assert heard.words == [("NO", 1, 2), ("SEE", 4, 2)]
    assert heard.edges == [(0.1, 0.3), (0.35, 0.5)]


def test_a_pause_shorter_than_a_frame_is_none() -> None:
    heard = as_heard(utterance("N:0.006-0.2 OW:0.2-0.3 S:0.309-0.4 IY:0.4-0.494",
                               "NO:0.006-0.3 SEE:0.309-0.494"), 0.5, 0.01)
    assert heard.phones == ["N", "OW", "S", "IY"]
    assert heard.begins == [0.0, 0.2, 0.309, 0.4]
    assert heard.words == [("NO", 0, 2), ("SEE", 2, 2)]


def test_with_margins_a_silence_stands_at_either_end_and_all_moves_along() -> None:
    item = utterance("N:0.0-0.2 OW:0.2-0.3", "NO:0.0-0.3")
    heard = as_heard(item, 0.3, 0.01, margins=True).moved(0.125)
    assert heard.phones == ["SIL", "N", "OW", "SIL"]
    assert heard.begins == pytest.approx([0.0, 0.125, 0.325, 0.425])
    assert heard.words == [("NO", 1, 2)] and heard.edges == [pytest.approx((0.125, 0.425))]


@pytest.mark.parametrize(("phones", "bare"), [
    ("N:0.0-0.2 OW:0.2-0.5", True), ("N:0.009-0.2 OW:0.2-0.491", True),
    ("N:0.02-0.2 OW:0.2-0.5", False), ("N:0.0-0.2 OW:0.2-0.48", False), ("", False)])
def test_who_begins_and_ends_with_a_sound(phones: str, bare: bool) -> None:
    assert begins_and_ends_with_sound(utterance(phones, ""), 0.5, 0.01) == bare


def test_phones_that_run_into_each_other_share_their_time_but_have_no_boundary() -> None:
    heard = as_heard(utterance("N:0.0-0.2 D_B_Z:0.2-0.5 S:0.5-0.6", "NO:0.0-0.2 SEE:0.2-0.6"),
                     0.6, 0.01)
    assert heard.phones == ["N", "D", "B", "Z", "S"]
    assert heard.begins == [0.0, 0.2, None, None, 0.5]
    assert heard.every_begin(0.6) == pytest.approx([0.0, 0.2, 0.3, 0.4, 0.5])
    assert heard.words == [("NO", 0, 1), ("SEE", 1, 4)]
    assert Spoken(["D", "B"], [], [0.0, None], []).every_begin(0.4) == [0.0, 0.2]


def test_a_phone_that_no_word_has_belongs_to_none() -> None:
    heard = as_heard(utterance("N:0.0-0.2 AH_R:0.2-0.3 S:0.3-0.6", "NO:0.0-0.2 SEE:0.3-0.6"),
                     0.6, 0.01)
    assert heard.words == [("NO", 0, 1), ("SEE", 3, 1)]


@pytest.mark.parametrize(("phones", "words", "message"), [
    ("N:0.0-0.2", "NO:0.0-0.2 SEE:0.3-0.6", "u.wav: no phone is heard in the word 'SEE' at 0.300"),
    ("N:0.0-0.2", "", "u.wav: no phones or no words")])
def test_words_without_phones_are_refused(phones: str, words: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        as_heard(utterance(phones, words), 0.7, 0.01)


def test_a_text_is_said_as_the_dictionary_says_first() -> None:
    found = as_written("NO A", {"NO": [["N", "OW"]], "A": [["EY"], ["AH"]]})
    assert found == Spoken(["SIL", "N", "OW", "EY", "SIL"], [("NO", 1, 2), ("A", 3, 1)], [], [])
