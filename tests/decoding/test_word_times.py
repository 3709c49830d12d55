"""Files of word times against text that was written by hand from the formats' descriptions."""

import pytest

from pipeline.decoding.trace import Recognition
from pipeline.decoding.word_times import TimedWord, ctm, srt, textgrid, timed_words

WORDS = [TimedWord("RUBOUT", 0.12, 0.5, 0.98764), TimedWord("G", 0.5, 0.71, 1.0),
         TimedWord("ZERO", 1.4, 1.9, 0.25)]


def test_ctm() -> None:
    assert ctm("an406-fcaw-b", WORDS) == (
        "an406-fcaw-b 1 0.120 0.380 RUBOUT 0.988\n"
        "an406-fcaw-b 1 0.500 0.210 G 1.000\n"
        "an406-fcaw-b 1 1.400 0.500 ZERO 0.250\n")
    assert ctm("a", [TimedWord("YES", 0.0, 0.1)], "A") == "a A 0.000 0.100 YES\n"
    assert ctm("a", []) == ""


def test_a_ctm_line_has_its_fields_whatever_the_words() -> None:
    odd = [TimedWord("new york", 0.0, 0.1), TimedWord("<ALT>", 0.1, 0.2), TimedWord("", 0.2, 0.3)]
    assert ctm(";; my talk", odd) == (
        "\\u003b;\\u0020my\\u0020talk 1 0.000 0.100 new\\u0020york\n"
        "\\u003b;\\u0020my\\u0020talk 1 0.100 0.100 \\u003cALT>\n"
        "\\u003b;\\u0020my\\u0020talk 1 0.200 0.100 \\e\n")


def test_srt() -> None:
    late = [TimedWord("M", 3723.004, 3723.25)]
    assert srt(WORDS + late) == (
        "1\n00:00:00,120 --> 00:00:00,710\nRUBOUT G\n\n"
        "2\n00:00:01,400 --> 00:00:01,900\nZERO\n\n"
        "3\n01:02:03,004 --> 01:02:03,250\nM\n\n")
    assert srt([]) == ""


def test_a_caption_is_no_longer_than_a_line() -> None:
    words = [TimedWord("abc", place / 2, place / 2 + 0.4) for place in range(5)]
    # Two words and the space between are 7 characters, three 11.
    assert [block.split("\n")[2] for block in srt(words, characters=10).split("\n\n")[:-1]] == [
        "abc abc", "abc abc", "abc"]
    assert srt(words, characters=11).count("-->") == 2
    assert srt(words, pause=0.1).count("-->") == 5
    assert srt([TimedWord("line\n\nline", 0, 1)], characters=3).split("\n")[2] == (
        "line\\u000a\\u000aline")


def test_textgrid() -> None:
    assert textgrid([TimedWord('SAY "A"', 0.25, 0.5), TimedWord("B", 0.5, 1.0)], 1.5) == """\
File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0.000
xmax = 1.500
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0.000
        xmax = 1.500
        intervals: size = 4
        intervals [1]:
            xmin = 0.000
            xmax = 0.250
            text = ""
        intervals [2]:
            xmin = 0.250
            xmax = 0.500
            text = "SAY\\u0020""A\"""
        intervals [3]:
            xmin = 0.500
            xmax = 1.000
            text = "B"
        intervals [4]:
            xmin = 1.000
            xmax = 1.500
            text = ""
"""


def test_confidences_are_a_tier_of_their_own() -> None:
    found = textgrid(WORDS, 1.9)
    assert 'size = 2\n' in found and 'name = "confidence"' in found
    texts = [line.split('"')[1] for line in found.split("\n") if "text = " in line]
    assert texts == ["", "RUBOUT", "G", "", "ZERO", "", "0.988", "1.000", "", "0.250"]


def test_a_recording_without_words_is_one_empty_interval() -> None:
    assert textgrid([], 2.0).count("intervals [") == 1


@pytest.mark.parametrize(("words", "message"), [
    ([TimedWord("A", 0.5, 0.9), TimedWord("B", 0.8, 1.0)],
     r"'B' from 0.800 to 1.000 seconds does not follow 0.900"),
    ([TimedWord("A", 0.5, 0.5)], "each a millisecond long"),
    ([TimedWord("A", -0.1, 0.5)], "'A' from -0.100 to 0.500")])
def test_words_out_of_order_are_refused(words: list[TimedWord], message: str) -> None:
    for written in (lambda: ctm("a", words), lambda: srt(words), lambda: textgrid(words, 2.0)):
        with pytest.raises(ValueError, match=message):
            written()


def test_a_word_behind_the_end_of_the_recording_is_refused() -> None:
    with pytest.raises(ValueError, match="'ZERO' ends behind the recording, at 1.900 of 1.500"):
        textgrid(WORDS, 1.5)


def test_frames_become_seconds() -> None:
    found = Recognition((1, 0), (3, 10), (10, 12), -1.0, -1.0, 0.0, True,
                        None)  # type: ignore[arg-type]
    assert timed_words(found, ["NO", "YES"], 0.01, (0.5, 1.0)) == [
        TimedWord("YES", 0.03, 0.1, 0.5), TimedWord("NO", 0.1, 0.12, 1.0)]
    assert [word.confidence for word in timed_words(found, ["NO", "YES"], 0.01)] == [None, None]
