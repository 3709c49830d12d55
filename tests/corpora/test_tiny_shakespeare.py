"""Tiny Shakespeare: its published size, and a split by position that loses nothing."""

from collections import Counter
from pathlib import Path

import pytest

from pipeline.corpora import tiny_shakespeare
from pipeline.errors import UserError


def text_of(directory: Path, split: str) -> str:
    return "".join(line.text for line in tiny_shakespeare.lines(directory, split))


def test_the_real_text_has_its_published_size(mirror: Path, tmp_path: Path) -> None:
    tiny_shakespeare.prepare(tiny_shakespeare.Settings(module="tiny_shakespeare"), tmp_path, mirror)
    parts = [text_of(tmp_path, split) for split in ("train", "valid", "test")]
    assert "".join(parts) == (mirror / "tinyshakespeare/input.txt").read_text()
    assert len("".join(parts)) == 1_115_394 and len(set("".join(parts))) == 65
    assert [len(part) for part in parts] == [1_003_854, 55_770, 55_770]
    blocks = Counter(line.cluster for line in tiny_shakespeare.lines(tmp_path, "test"))
    assert len(blocks) == -(-parts[2].count("\n") // 50) and set(blocks.values()) >= {50}


def test_a_split_may_cut_a_line_and_keeps_empty_ones(tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_text("One:\nto be\n\nor not\nTwo:\nyes,\nmy lord.\nExit.\nend\n")
    lines = tiny_shakespeare.lines(tmp_path, "train")
    assert [line.text for line in lines[:4]] == ["One:\n", "to be\n", "\n", "or not\n"]
    assert lines[-1].text == "Exit." and lines[-1].id == "train-00008"
    assert text_of(tmp_path, "valid") + text_of(tmp_path, "test") == "\nend\n"


def test_a_text_too_short_to_be_split_is_refused(tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_text("ab")
    with pytest.raises(UserError, match="input.txt holds 2 characters"):
        tiny_shakespeare.lines(tmp_path, "valid")
