"""Lines of a text file: ends, marks, and what is no text."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.storage.lines import (
    ended_lines,
    lines_of,
    read_gzip_text,
    read_lines,
    read_running_text,
)


@pytest.mark.parametrize(("content", "lines"), [
    (b"one\ntwo\n", ["one", "two"]),
    (b"one\ntwo", ["one", "two"]),
    (b"one\r\ntwo\r\n", ["one", "two"]),
    (b"one\r\ntwo\r", ["one", "two"]),
    (b"one\r\r\ntwo", ["one", "two"]),
    (b"one\r", ["one"]),
    (b"\xef\xbb\xbfone\n", ["one"]),
    (b"\xef\xbb\xbf\n", [""]),
    (b"one\n\ntwo\n\n", ["one", "", "two", ""]),
    (b"\n", [""]),
    ("a\u2028b\x0bc\x0cd\x85e\rf\n".encode(), ["a\u2028b\x0bc\x0cd\x85e\rf"]),
    ("\u00e9 e\u0301 a\ufeff\n".encode(), ["\u00e9 e\u0301 a\ufeff"])])
def test_only_a_line_feed_ends_a_line(tmp_path: Path, content: bytes, lines: list[str]) -> None:
    (tmp_path / "own.txt").write_bytes(content)
    assert read_lines(tmp_path / "own.txt", "own.txt") == lines
    (tmp_path / "own.gz").write_bytes(gzip.compress(content))
    assert read_gzip_text(tmp_path / "own.gz") == lines


@pytest.mark.parametrize(("content", "message"), [
    (b"", "standard input is empty"),
    (b"\xef\xbb\xbf", "standard input is empty"),
    (b"good\nbad \xff\n", "standard input, line 2: byte 5 of the line is not UTF-8"),
    (b"good\r\nbad \xed\xa0\x80", "standard input, line 2: byte 5 of the line is not UTF-8"),
    ("text".encode("utf-16"), "standard input, line 1: this is UTF-16, not UTF-8; save"),
    (b"\xfe\xff\0t", "standard input, line 1: this is UTF-16"),
    ("text".encode("utf-32"), "standard input, line 1: this is UTF-32"),
    ("one\ntext".encode("utf-16-le"), "standard input, line 1: it holds NUL .*if the file is UTF"),
    (b"one\na\0b", "standard input, line 2: it holds NUL"),
    (b"one\n\xef\xbb\xbftwo", "standard input, line 2: it begins with a byte order mark"),
    (b"\xef\xbb\xbf\xef\xbb\xbfone", "standard input, line 1: it begins with a byte order mark"),
    (b"one\rtwo\r", "standard input, line 1: the lines end in CR alone")])
def test_what_is_no_text_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "spooled.txt").write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_lines(tmp_path / "spooled.txt", "standard input")


def test_a_missing_or_damaged_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"corpus\.txt does not exist; fetch"):
        read_lines(tmp_path / "corpus.txt")
    (tmp_path / "corpus.gz").write_bytes(gzip.compress(b"one\n")[:-3])
    with pytest.raises(UserError, match=r"corpus\.gz is damaged"):
        read_gzip_text(tmp_path / "corpus.gz")


@pytest.mark.parametrize(("content", "text"), [
    (b"\xef\xbb\xbfone\r\ntwo\r\n", "one\ntwo\n"), (b"one\n\n", "one\n\n"), (b"one", "one")])
def test_running_text_has_its_ends(tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / "text.txt").write_bytes(content)
    assert read_running_text(tmp_path / "text.txt") == text
    assert "".join(ended_lines(text)) == text
    assert ended_lines("one\n\n\u2028two") == ["one\n", "\n", "\u2028two"]


@pytest.mark.fuzz
@given(st.lists(st.text(st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs"])),
                min_size=1), st.sampled_from([b"\n", b"\r\n"]), st.booleans(), st.booleans())
def test_lines_that_were_written_are_read(lines: list[str], end: bytes, marked: bool,
                                          ended: bool) -> None:
    mark = b"\xef\xbb\xbf" if marked or lines[0].startswith("\ufeff") else b""
    content = mark + end.join(line.encode() for line in lines) + (end if ended else b"")
    try:
        assert lines_of(content, "own") == (
            lines if ended or lines[-1] or len(lines) == 1 else lines[:-1])
    except UserError as error:
        assert "is empty" in str(error) or any(line.startswith("\ufeff") for line in lines)


@pytest.mark.fuzz
@given(st.binary())
def test_any_bytes_are_lines_or_named(content: bytes) -> None:
    try:
        lines = lines_of(content, "own")
    except UserError as error:
        assert str(error).startswith("own")
    else:
        assert lines == [line.rstrip("\r") for line in content.decode("utf-8-sig").removesuffix(
            "\n").split("\n")]
