"""Sums of one's own: answered as in the suite, in decimal and binary, or refused by their line."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.systems.base import Run
from tests.tasks.addition.raw import write_raw
from tests.tasks.addition.test_adders import new
from tests.tasks.answers import answers, written


@pytest.mark.parametrize("model", ["recurrent", "feed_forward"])
def test_a_file_of_the_test_pairs_is_answered_as_in_the_suite(model: str, extracted: Path,
                                                              tmp_path: Path) -> None:
    system = new(model)
    files = write_raw(extracted / "test", tmp_path, tmp_path)
    found = [row["binary"] for row in answers(system, files, tmp_path / "model")]
    assert found == [f"0b{one['sum']}" for one in system.predict(extracted / "test", None)]
    assert len(set(found)) > 5


def test_a_trained_network_adds_what_people_write(extracted: Path, tmp_path: Path) -> None:
    system = new("recurrent")
    system.fit(extracted / "fit", Run(seed=1, work=tmp_path / "work"))
    one = written(tmp_path / "one.txt", "\ufeff13 + 5\r\n\r\n 0b0011+0b1\r\n")
    two = written(tmp_path / "two.txt", f"0+0\n{2**200 - 1} + 1")
    assert answers(system, [one, two], tmp_path / "model") == [
        {"file": str(one), "line": 1, "given": "13 + 5", "sum": 18, "binary": "0b10010"},
        {"file": str(one), "line": 3, "given": "0b0011+0b1", "sum": 4, "binary": "0b00100"},
        {"file": str(two), "line": 1, "given": "0+0", "sum": 0, "binary": "0b00"},
        {"file": str(two), "line": 2, "given": f"{2**200 - 1} + 1", "sum": 2**200,
         "binary": f"0b{2**200:b}"}]


@pytest.mark.parametrize(("content", "message"), [
    ("", "own.txt is empty"),
    ("\ufeff\r\n\n", "own.txt has no sum"),
    ("1 + 2\n13 - 5\n", "own.txt, line 2: '13 - 5' is no sum of two numbers; write it as"),
    ("0b12 + 0b1", "line 1: '0b12"),
    ("1 + 2 + 3", "line 1"),
    ("1 + ٣", "line 1"),
    (b"1 + 2\n\xff", "own.txt, line 2: byte 1 of the line is not UTF-8"),
    (f"1 + {'9' * 10_000}", "line 1: a number of more than 10000 bits"),
    (f"1 + 0b{'1' * 10_001}", "line 1: a number of more than 10000 bits"),
])
def test_what_is_no_sum_is_named(content: str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        answers(new("recurrent"), [written(tmp_path / "own.txt", content)], tmp_path / "model")


def test_a_feed_forward_network_says_how_long_numbers_may_be(tmp_path: Path) -> None:
    file = written(tmp_path / "own.txt", "1 + 2\n63 + 1\n64 + 1\n")
    with pytest.raises(UserError, match=r"own.txt, line 3: numbers of 7 bits, .* takes 6 at most"):
        answers(new("feed_forward"), [file], tmp_path / "model")
