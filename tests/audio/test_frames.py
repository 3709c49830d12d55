"""Frames that are shifted where they lie."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.audio.frames import Frames, shift_frames, write_frames


def test_each_utterance_is_shifted_by_its_own_vector(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    utterances = [random.normal(size=(length, 3)).astype(np.float32) for length in (4, 1, 6)]
    write_frames(tmp_path, "x", utterances)
    before = (tmp_path / "x.offsets.npy").read_bytes()
    shifts = [np.array([1.5, 0, -2]), np.zeros(3), np.array([0, 0.25, 8])]
    shift_frames(tmp_path, "x", shifts)
    found = Frames(tmp_path, "x")
    for number, (frames, shift) in enumerate(zip(utterances, shifts, strict=True)):
        np.testing.assert_array_equal(found[number], frames + shift.astype(np.float32))
        assert found[number].dtype == np.float32
    assert (tmp_path / "x.offsets.npy").read_bytes() == before


def test_a_shift_for_every_utterance_is_asked_for(tmp_path: Path) -> None:
    write_frames(tmp_path, "x", [np.zeros((2, 3), np.float32)] * 2)
    with pytest.raises(ValueError, match="longer"):
        shift_frames(tmp_path, "x", [np.ones(3)])
