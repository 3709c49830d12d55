"""Lines of a user's file: ends, marks, and what is no text."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.storage.lines import read_lines


@pytest.mark.parametrize(("content", "lines"), [
    (b"one\ntwo\n", ["one", "two"]),
    (b"one\ntwo", ["one", "two"]),
    (b"one\r\ntwo\r\n", ["one", "two"]),
    (b"\xef\xbb\xbfone\n", ["one"]),
    (b"one\n\ntwo\n\n", ["one", "", "two", ""]),
    (b"\n", [""]),
    ("a\u2028b\x0bc\x0cd\x85e\rf\n".encode(), ["a\u2028b\x0bc\x0cd\x85e\rf"])])
def test_only_a_line_feed_ends_a_line(tmp_path: Path, content: bytes, lines: list[str]) -> None:
    (tmp_path / "own.txt").write_bytes(content)
    assert read_lines(tmp_path / "own.txt", "own.txt") == lines


@pytest.mark.parametrize(("content", "message"), [
    (b"", "standard input is empty"),
    (b"\xef\xbb\xbf", "standard input is empty"),
    (b"good\nbad \xff\n", "standard input, line 2: byte 5 of the line is not UTF-8"),
    ("text".encode("utf-16"), "standard input, line 1: byte 1 of the line is not UTF-8")])
def test_what_is_no_text_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "spooled.txt").write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_lines(tmp_path / "spooled.txt", "standard input")
