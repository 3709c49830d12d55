"""JSON that no stage has written."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.storage.json_text import json_of, read_foreign_json


def test_it_is_read_as_any_text_is(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_bytes(b'\xef\xbb\xbf{"a":\r\n "\\ud83d\\ude00\xe2\x80\xa8"}\r\n')
    assert read_foreign_json(tmp_path / "own.json") == {"a": "\N{GRINNING FACE}\u2028"}


@pytest.mark.parametrize(("content", "message"), [
    (b"", "own.json is empty"),
    (b'{"a":\n\n}', "own.json, line 3: not valid JSON"),
    (b'{"a":\n "\\ud800"}', "own.json, line 2: not valid JSON .half a surrogate pair"),
    (b'["\\uDC00\\ud800"]', "own.json, line 1: not valid JSON .half a surrogate pair"),
    (b"[" * 100_000, "own.json, line 1: not valid JSON .*recursion"),
    (b"9" * 5_000, "own.json, line 1: not valid JSON .*digits"),
    ('{"a": 1}'.encode("utf-16"), "own.json, line 1: this is UTF-16"),
    (b'["\xff"]', "own.json, line 1: byte 3 of the line is not UTF-8")])
def test_what_is_no_json_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "own.json").write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_foreign_json(tmp_path / "own.json", "own.json")


def test_an_escaped_backslash_begins_no_surrogate() -> None:
    assert json_of('"\\\\ud800"') == "\\ud800"
