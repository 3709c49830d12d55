"""Means are taken away from whom they belong to, and statistics are those of all frames."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.audio.frames import Frames, write_frames
from pipeline.audio.normalising import by_speaker, by_utterance, mean_and_deviation

RANDOM = np.random.default_rng(0)
UTTERANCES = [RANDOM.normal(place, 1 + place, (20 + place, 3)).astype(np.float32)
              for place in range(4)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_frames(tmp_path, "train", UTTERANCES)
    return tmp_path


def test_a_speaker_has_mean_zero_and_utterances_keep_their_distance(folder: Path) -> None:
    by_speaker(folder, "train", ["a", "b", "a", "b"], "speaker")
    found = Frames(folder, "train")
    np.testing.assert_allclose(np.concatenate([found[0], found[2]]).mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(found[2].mean(axis=0) - found[0].mean(axis=0),
                               UTTERANCES[2].mean(axis=0) - UTTERANCES[0].mean(axis=0), atol=1e-5)
    assert np.abs(found[0].mean(axis=0)).min() > 0.1


@pytest.mark.parametrize("normalise", ["none", "utterance"])
def test_other_ways_leave_the_file_alone(normalise: str, folder: Path) -> None:
    before = (folder / "train.frames.npy").read_bytes()
    by_speaker(folder, "train", list("abab"), normalise)  # type: ignore[arg-type]
    assert (folder / "train.frames.npy").read_bytes() == before


def test_an_utterance_has_mean_zero_and_deviation_one() -> None:
    found = by_utterance(UTTERANCES[3], "utterance")
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=0), 1, atol=1e-5)
    assert np.isfinite(by_utterance(np.ones((4, 2), np.float32), "utterance")).all()
    assert by_utterance(UTTERANCES[3], "speaker") is UTTERANCES[3]


def test_statistics_are_those_of_all_frames_together(folder: Path) -> None:
    mean, deviation = mean_and_deviation(Frames(folder, "train"))
    whole = np.concatenate(UTTERANCES).astype(np.float64)
    np.testing.assert_allclose(mean, whole.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(deviation, whole.std(axis=0), rtol=1e-6)
