"""TextGrids as Praat's manual shows them, damaged ones, and ours read by another library."""

from pathlib import Path

import pytest
from praatio import textgrid

from pipeline.audio.text_grids import Interval, read_text_grid, text_grid
from pipeline.errors import UserError

LONG = '''File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2.3
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "IntervalTier"
        name = "Mary"
        xmin = 0
        xmax = 2.3
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 1e0
            text = "she said ""no"" 7 <exists>"
        intervals [2]:
            xmin = 1
            xmax = 2.3
            text = ""
    item [2]:
        class = "TextTier"
        name = "bell"
        xmin = 0
        xmax = 2.3
        points: size = 1
        points [1]:
            number = 1.5
            mark = "ding"
    item [3]:
        class = "IntervalTier"
        name = "John"
        xmin = 0
        xmax = 2.3
        intervals: size = 1
        intervals [1]:
            xmin = 0.5
            xmax = 2.3
            text = "two
lines"
'''
SHORT = '''"ooTextFile"
"TextGrid"
0 2.3 <exists> 1 ! one tier
"IntervalTier" "Mary" 0 2.3 2
0 1 "a"
1 2.3 "b"
'''


def written(folder: Path, text: str) -> Path:
    path = folder / "x.TextGrid"
    path.write_text(text, "utf-8")
    return path


def test_the_long_form(tmp_path: Path) -> None:
    assert read_text_grid(written(tmp_path, LONG)) == {
        "Mary": [Interval('she said "no" 7 <exists>', 0.0, 1.0), Interval("", 1.0, 2.3)],
        "John": [Interval("two\nlines", 0.5, 2.3)]}


def test_the_short_form(tmp_path: Path) -> None:
    assert read_text_grid(written(tmp_path, SHORT)) == {
        "Mary": [Interval("a", 0.0, 1.0), Interval("b", 1.0, 2.3)]}


@pytest.mark.parametrize(("text", "message"), [
    (SHORT.replace("TextGrid", "Sound"), "line 2: this is no TextGrid"),
    (SHORT.replace('1 2.3 "b"\n', ""), "line 5: the file ends where a number should stand"),
    (SHORT.replace('1 2.3 "b"', '1 "b" 2.3'), "line 6: expected a number, got '\"b\"'"),
    (SHORT.replace('1 2.3 "b"', '0.9 2.3 "b"'), "line 6: the interval 'b' from 0.9"),
    (SHORT.replace('1 2.3 "b"', '1 1 "b"'), "line 6: the interval 'b' from 1.0 to 1.0"),
    (SHORT.replace('1 2.3 "b"', '1 2.4 "b"'), "line 6: the interval 'b' from 1.0 to 2.4"),
    (SHORT.replace("2.3 2", "2.3 1.5"), "line 4: 1.5 is no number of intervals"),
    (SHORT.replace("IntervalTier", "Tier"), "line 4: 'Tier' 'Mary' is no tier"),
    (SHORT.replace("<exists> 1", "<exists> 2") + SHORT.split("tier\n")[1],
     "line 7: 'IntervalTier' 'Mary' is no tier, or a second one"),
    (SHORT.replace("<exists>", "<absent>"), "line 3: expected <exists>"),
])
def test_what_is_damaged_is_named_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UserError) as caught:
        read_text_grid(path)
    assert str(caught.value).startswith(f"{path}, {message}")


WORDS = [Interval('SAY "A"', 0.25, 0.5), Interval("née", 0.5, 1.0)]
PHONES = [Interval("EY", 0.25, 0.5), Interval("N", 0.6, 1.0), Interval("IY", 1.0, 1.25)]


def test_praat_tools_read_what_is_written(tmp_path: Path) -> None:
    path = written(tmp_path, text_grid([("words", WORDS), ("phones", PHONES)], 1.5))
    found = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    assert list(found.tierNames) == ["words", "phones"] and found.maxTimestamp == 1.5
    for name, intervals in (("words", WORDS), ("phones", PHONES)):
        assert [(one.label, one.start, one.end) for one in found.getTier(name).entries] == [
            (one.label, one.begin, one.end) for one in intervals]
    whole = textgrid.openTextgrid(str(path), includeEmptyIntervals=True).getTier("phones").entries
    assert [(one.label, one.start, one.end) for one in whole] == [
        ("", 0.0, 0.25), ("EY", 0.25, 0.5), ("", 0.5, 0.6), ("N", 0.6, 1.0), ("IY", 1.0, 1.25),
        ("", 1.25, 1.5)]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = written(tmp_path, text_grid([("words", WORDS), ("none", [])], 1.5))
    assert read_text_grid(path) == {
        "words": [Interval("", 0.0, 0.25), *WORDS, Interval("", 1.0, 1.5)],
        "none": [Interval("", 0.0, 1.5)]}


@pytest.mark.parametrize("wrong", [
    [Interval("a", 0.0, 0.5), Interval("b", 0.4, 0.6)], [Interval("a", 0.2, 0.2003)],
    [Interval("a", 1.0, 1.6)]])
def test_intervals_that_overlap_vanish_or_reach_behind_the_end(wrong: list[Interval]) -> None:
    with pytest.raises(ValueError, match="does not follow"):
        text_grid([("words", wrong)], 1.5)
