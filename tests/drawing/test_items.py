"""Which item a picture is of is read back as it was written, and only where it was."""

from pathlib import Path

import pytest

from pipeline.drawing.items import read_items, write_items
from pipeline.errors import UserError
from pipeline.storage.files import write_json


def test_items_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    write_items(tmp_path / "row", {"spikes": "clean/a-2", "attention_1": "日"})
    assert read_items(tmp_path / "row") == {"spikes": "clean/a-2", "attention_1": "日"}


def test_without_pictures_of_single_items_there_is_no_file(tmp_path: Path) -> None:
    write_items(tmp_path, {})
    assert list(tmp_path.iterdir()) == []
    assert read_items(tmp_path) == {}


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    write_json(tmp_path / "items.json", {"spikes": 3})
    with pytest.raises(UserError, match=r"items\.json, spikes: .*evaluate the system again"):
        read_items(tmp_path)
