"""Tables that a user brings: columns in any order, and the line of everything that is wrong."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.storage.tables import Row, read_rows


def read(tmp_path: Path, content: str) -> list[Row]:
    (tmp_path / "own.csv").write_bytes(content.encode("utf-8"))
    return list(read_rows(tmp_path / "own.csv", "own.csv", ("a", "b")))


def test_rows_are_read_by_their_header(tmp_path: Path) -> None:
    rows = read(tmp_path, '\ufeffb, c,a\r\n1,"x, y", 2\r\n\r\n"3\nlines",,4\n')
    assert [(row.line, row.fields) for row in rows] == [
        (2, {"b": "1", "c": "x, y", "a": "2"}), (5, {"b": "3\nlines", "c": "", "a": "4"})]
    assert rows[0].number("a") == 2
    assert rows[0].place == "own.csv, line 2"
    assert read(tmp_path, "a,b\n") == []


def test_an_exact_column_is_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("id, a,b\nA, 1 ,x\nA ,2,y\n\u00a0A\t,3,\u00a0\n", "utf-8")
    rows = list(read_rows(tmp_path / "own.csv", "own.csv", ("id", "a"), exact=("id",)))
    assert [row.fields for row in rows] == [{"id": "A", "a": "1", "b": "x"},
                                            {"id": "A ", "a": "2", "b": "y"},
                                            {"id": "\u00a0A\t", "a": "3", "b": "\u00a0"}]


@pytest.mark.parametrize(("content", "message"), [
    ("", "own.csv is empty"),
    ("a,c\n", "own.csv, line 1: no column 'b'; the first line must name the columns a, b, got a"),
    ("a,b,a\n", "own.csv, line 1: column 'a' stands there twice"),
    ("a,b\n1,2\n1,2,3\n", "own.csv, line 3: expected 2 fields, got 3"),
    ('a,b\n1,"2\n', "own.csv, line 2: this is no CSV"),
])
def test_what_is_no_table_is_named(content: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        read(tmp_path, content)


@pytest.mark.parametrize("value", ["", "x", "nan", "inf", "1,5"])
def test_what_is_no_number_is_named(value: str, tmp_path: Path) -> None:
    (row,) = read(tmp_path, f'a,b\n1,"{value}"\n')
    with pytest.raises(UserError, match=f"own.csv, line 2: b '{value}' is no finite number"):
        row.number("b")
