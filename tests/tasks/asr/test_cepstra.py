"""Cepstra and their slopes against torchaudio's, and what normalising by speaker leaves."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torchaudio

from pipeline.audio.frames import write_frames
from pipeline.storage.files import write_json
from pipeline.tasks.asr.shared.cepstra import cosines, hear, with_slopes

LENGTHS = [30, 1, 8, 45, 3]
SPEAKERS = ["b", "a", "b", "c", "a"]


def write(directory: Path, utterances: list[np.ndarray]) -> None:
    write_frames(directory, "train", [frames.astype(np.float32) for frames in utterances])
    write_json(directory / "train.items.json",
               [{"id": str(number), "speaker": speaker, "text": f"T{number}"}
                for number, speaker in enumerate(SPEAKERS)])


@pytest.fixture
def utterances() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.normal(3, 2, (length, 12)) for length in LENGTHS]


@pytest.mark.parametrize(("mels", "coefficients"), [(12, 5), (40, 13), (6, 6)])
def test_cosines_are_torchaudios(mels: int, coefficients: int) -> None:
    expected = torchaudio.functional.create_dct(coefficients, mels, norm="ortho")
    np.testing.assert_allclose(cosines(mels, coefficients), expected, atol=1e-6)


def test_more_coefficients_than_mels_are_refused() -> None:
    with pytest.raises(ValueError, match="12 mel filters have no 13"):
        cosines(12, 13)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_slopes_are_torchaudios_in_each_utterance_alone(order: int,
                                                        utterances: list[np.ndarray]) -> None:
    offsets = np.cumsum([0, *LENGTHS])
    found = with_slopes(np.concatenate(utterances), offsets, order)
    for frames, start, end in zip(utterances, offsets[:-1], offsets[1:], strict=True):
        parts = [torch.from_numpy(frames.T)]
        for _ in range(order):
            parts.append(torchaudio.functional.compute_deltas(parts[-1], 5, mode="replicate"))
        np.testing.assert_allclose(found[start:end], torch.cat(parts).T, atol=1e-10)


def test_each_speaker_has_mean_0_and_deviation_1_over_all_utterances(
        tmp_path: Path, utterances: list[np.ndarray]) -> None:
    write(tmp_path, utterances)
    heard = hear(tmp_path, "train", 5)
    assert heard.speakers.tolist() == [0, 1, 0, 2, 1]
    assert heard.texts == ["T0", "T1", "T2", "T3", "T4"]
    for speaker in "abc":
        own = [number for number, name in enumerate(SPEAKERS) if name == speaker]
        cepstra = np.concatenate([utterances[number].astype(np.float32) for number in own]
                                 ) @ cosines(12, 5)
        expected = (cepstra - cepstra.mean(axis=0)) / cepstra.std(axis=0)
        found = np.concatenate([heard.of(number) for number in own])
        np.testing.assert_allclose(found, expected, atol=1e-6)
        np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-9)


def test_a_speaker_depends_on_no_other(tmp_path: Path, utterances: list[np.ndarray]) -> None:
    write(tmp_path, utterances)
    before = hear(tmp_path, "train", 5)
    write(tmp_path, [frames * 3 + 1 if speaker == "b" else frames
                     for frames, speaker in zip(utterances, SPEAKERS, strict=True)])
    after = hear(tmp_path, "train", 5)
    for number, speaker in enumerate(SPEAKERS):
        # What scales and shifts "b" is what normalising takes away.
        np.testing.assert_allclose(after.of(number), before.of(number), atol=1e-5,
                                   err_msg=speaker)


def test_a_recording_that_never_changes_stays_finite(tmp_path: Path,
                                                     utterances: list[np.ndarray]) -> None:
    utterances[3] = np.full((45, 12), -11.5)
    write(tmp_path, utterances)
    found = hear(tmp_path, "train", 5).of(3)
    assert np.isfinite(found).all() and np.abs(found).max() < 1e-3
