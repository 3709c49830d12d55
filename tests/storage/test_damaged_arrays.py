"""Damaged arrays end in an error that names the file, or are arrays of the size they had."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.storage.arrays import read_array, write_array
from pipeline.storage.sequences import Sequences, write_sequences
from tests.damage import cut_byte, flip_bit
from tests.trials import trials

DAMAGES = [flip_bit, cut_byte]


@pytest.mark.fuzz
@pytest.mark.parametrize("damage", DAMAGES)
def test_an_array(tmp_path: Path, damage: Callable[[Path, random.Random], None]) -> None:
    path, chance = tmp_path / "a.npy", random.Random(0)
    for _ in range(trials(80, 20_000)):
        write_array(path, np.arange(12.0).reshape(3, 4))
        damage(path, chance)
        try:
            assert np.array(read_array(path)).nbytes <= 12 * 8
        except UserError as error:
            assert str(path) in str(error)


@pytest.mark.fuzz
@pytest.mark.parametrize("damage", DAMAGES)
def test_sequences(tmp_path: Path, damage: Callable[[Path, random.Random], None]) -> None:
    """Offsets that are damaged could name places outside the stream, or gigabytes of padding."""
    chance = random.Random(0)
    for number in range(trials(80, 20_000)):
        write_sequences(tmp_path, "some", [[1, 2], [3], [4, 5, 6], []])
        damage(tmp_path / ("some.npy", "some.offsets.npy")[number % 2], chance)
        try:
            found = Sequences(tmp_path, "some")
            assert sum(len(found[item]) for item in range(len(found))) == found.lengths.sum() == 6
            assert found.padded(np.arange(len(found)), 0)[0].size <= 6 * len(found)
        except UserError as error:
            assert "some" in str(error)


@pytest.mark.parametrize("kind", [np.int64, np.float32, np.bool_, ">i4", "S4", "i2,i2"])
def test_numbers_of_another_kind_are_named(tmp_path: Path, kind: Any) -> None:
    """A flipped bit in a header makes other numbers of the same bytes, or no numbers."""
    write_sequences(tmp_path, "some", [[1, 2, 3, 4, 5, 6]])
    write_array(tmp_path / "some.npy", np.zeros(6, kind))
    with pytest.raises(UserError, match="some.npy is damaged: it holds .*, not int32"):
        Sequences(tmp_path, "some")


@pytest.mark.parametrize("offsets", [[], [[0, 6]], [1, 6], [0, 7, 6], [0.0, 6.0], [0, 5], [0]])
def test_offsets_that_cut_nothing_are_named(tmp_path: Path, offsets: list) -> None:
    write_sequences(tmp_path, "some", [[1, 2, 3, 4, 5, 6]])
    write_array(tmp_path / "some.offsets.npy", np.array(offsets))
    with pytest.raises(UserError, match="some.npy and its offsets do not fit"):
        Sequences(tmp_path, "some")
