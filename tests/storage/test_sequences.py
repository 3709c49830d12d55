"""Token sequences come back from disk as they were written, one by one and padded."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.storage.sequences import Sequences, write_sequences

TOKENS = [[5, 6, 2], [2], [7, 8, 9, 2], []]


def test_sequences_come_back(tmp_path: Path) -> None:
    write_sequences(tmp_path, "some", TOKENS)
    found = Sequences(tmp_path, "some")
    assert [found[item] for item in range(len(found))] == TOKENS
    assert found.lengths.tolist() == [3, 1, 4, 0]


def test_padding_follows_each_end(tmp_path: Path) -> None:
    write_sequences(tmp_path, "some", TOKENS)
    tokens, lengths = Sequences(tmp_path, "some").padded(np.array([2, 1]), 17)
    assert tokens.tolist() == [[7, 8, 9, 2], [2, 17, 17, 17]]
    assert lengths.tolist() == [4, 1]


def test_files_that_do_not_fit_together_are_named(tmp_path: Path) -> None:
    write_sequences(tmp_path, "some", TOKENS)
    write_sequences(tmp_path, "other", TOKENS[:2])
    (tmp_path / "other.offsets.npy").replace(tmp_path / "some.offsets.npy")
    with pytest.raises(UserError, match="some.npy and its offsets do not fit"):
        Sequences(tmp_path, "some")
