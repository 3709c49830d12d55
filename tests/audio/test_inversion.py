"""Sound made from log-mel has the features that it was made from, at the same times."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.audio.front_end import LogMel, audio_features, transform
from pipeline.audio.inversion import power_spectrum, samples_of

AUDIO = {"kind": "log-mel", "sample_rate": 16000, "window": "hamming", "frame_ms": 25.0,
         "hop_ms": 10.0, "dft_points": 400, "mels": 40, "low_hz": 20.0, "high_hz": 7800.0,
         "deltas": 0}


def log_mel(**changes: object) -> LogMel:
    return LogMel.model_validate({**AUDIO, **changes})


def vowel() -> NDArray[np.float32]:
    """An /a/: harmonics of 120 Hz, strong near the formants 700, 1,200 and 2,600 Hz."""
    time = np.arange(12000) / 16000
    harmonics = np.arange(120, 7000, 120)
    strength = sum(1 / (1 + ((harmonics - formant) / 80) ** 2) for formant in (700, 1200, 2600))
    sound = (strength[:, None] * np.sin(2 * np.pi * harmonics[:, None] * time)).sum(axis=0)
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


def chirp() -> NDArray[np.float32]:
    """From 300 to 3,000 Hz in a second, steadily."""
    time = np.arange(16000) / 16000
    return (0.5 * np.sin(2 * np.pi * (300 * time + 1350 * time**2))).astype(np.float32)


@pytest.mark.parametrize("changes", [
    {}, {"frame_ms": 20.0, "dft_points": 512, "hop_ms": 8.0, "mels": 60},
    {"window": "rectangular"}])
@pytest.mark.parametrize("sound", [vowel, chirp])
def test_peaks_stay_in_place_and_time(changes: dict, sound) -> None:
    settings = log_mel(**changes)
    before = audio_features(settings, sound())
    made = samples_of(settings, before)
    assert len(made) == (len(before) - 1) * settings.hop_samples + settings.dft_points
    after = audio_features(settings, made)
    assert after.shape == before.shape
    inner = slice(5, -5)
    assert np.abs(after.argmax(axis=1) - before.argmax(axis=1))[inner].max() <= 1
    loud = before > before.max() - 6
    assert np.abs(after - before)[inner][loud[inner]].mean() < 0.5


def test_the_formants_of_a_vowel_survive() -> None:
    settings = log_mel()
    made = samples_of(settings, audio_features(settings, vowel()))
    spectrum = np.abs(np.fft.rfft(made[2000:10000]))
    hertz = np.fft.rfftfreq(8000, 1 / 16000)
    for formant, valley in ((700, 950), (1200, 1800), (2600, 3600)):
        near = [spectrum[np.abs(hertz - place) < 100].max() for place in (formant, valley)]
        assert near[0] > 2 * near[1]


def test_the_spectrum_is_one_that_the_filters_see_the_same() -> None:
    settings = log_mel()
    power = torch.rand(201, 30, generator=torch.Generator().manual_seed(1))
    filters = transform(settings).mel_scale.fb.T
    found = power_spectrum(settings, filters @ power)
    assert (found >= 0).all()
    torch.testing.assert_close(filters @ found, filters @ power, rtol=0.02, atol=1e-4)
    silent = filters.sum(dim=0) == 0
    assert silent.any() and not found[silent].any()


def test_the_same_seed_gives_the_same_sound_and_leaves_others_alone() -> None:
    settings = log_mel()
    frames = audio_features(settings, chirp()[:4000])
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    first, second = samples_of(settings, frames), samples_of(settings, frames)
    assert torch.rand(1) == expected
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, samples_of(settings, frames, seed=1))


def test_one_frame_and_silence_are_sound_too() -> None:
    settings = log_mel()
    assert samples_of(settings, audio_features(settings, chirp()[:400])).shape == (400,)
    assert not samples_of(settings, audio_features(settings, np.zeros(4000, np.float32))).any()


def test_what_cannot_be_inverted_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected \[frames, 40\]"):
        samples_of(log_mel(), np.zeros((5, 80), np.float32))
    with pytest.raises(ValueError, match="hops are longer than frames"):
        samples_of(log_mel(hop_ms=30.0), np.zeros((5, 40), np.float32))
