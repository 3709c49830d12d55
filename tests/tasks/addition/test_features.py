"""Bits from the least significant end, and sums with too many of them."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.storage.files import read_json, sha256
from pipeline.tasks.addition import features
from tests.tasks.addition.conftest import LENGTHS, SETTINGS, addition, additions, reader


def only(sums: dict) -> object:
    return reader(lambda directory, split: sums[split])


def test_bits_begin_with_the_least_significant(tmp_path: Path) -> None:
    sums = {"train": [addition("a", 3, 1, 2)], "valid": [addition("b", 1, 1, 1)],
            "test": [addition("c", 4, 6, 3)]}
    features.extract(features.Settings(bits=3), tmp_path, only(sums), tmp_path / "fit",
                     tmp_path / "test")
    # 11 + 01 = 100
    assert np.load(tmp_path / "fit/train.pairs.npy").tolist() == [[[1, 1], [1, 0], [0, 0], [0, 0]]]
    assert np.load(tmp_path / "fit/train.sums.npy").tolist() == [[0, 0, 1, 0]]
    assert np.load(tmp_path / "fit/valid.lengths.npy").tolist() == [1]
    assert np.load(tmp_path / "test/test.pairs.npy").tolist() == [[[0, 0], [0, 1], [1, 1], [0, 0]]]
    assert read_json(tmp_path / "fit/spec.json") == {"bits": 3, "trained": 2}
    assert read_json(tmp_path / "test/items.json") == [
        {"id": "c", "first": "100", "second": "110", "sum": "1010", "trained": False}]


def test_sums_of_the_test_split_are_not_beside_its_pairs(extracted: Path) -> None:
    assert sorted(path.name for path in (extracted / "test").iterdir()) == [
        "ceiling.json", "clusters.json", "items.json", "test.lengths.npy", "test.pairs.npy"]
    assert read_json(extracted / "test/ceiling.json")["exact_64"] == 100


def test_test_pairs_change_nothing_that_training_reads(extracted: Path, tmp_path: Path) -> None:
    sums = {split: additions(tmp_path, split) for split in LENGTHS}
    sums["test"] = [addition("other", 63, 1, 6)]
    features.extract(SETTINGS, tmp_path, only(sums), tmp_path / "fit", tmp_path / "test")
    for path in (extracted / "fit").iterdir():
        assert sha256(path) == sha256(tmp_path / "fit" / path.name)


def test_numbers_of_too_many_bits_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="sum test-5-0-0 has numbers of 5 bits; raise features.bi"):
        features.extract(features.Settings(bits=4), tmp_path, reader(), tmp_path, tmp_path)
