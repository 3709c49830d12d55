"""The front end against its formulas, computed here in numpy from the definitions."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from pydantic import ValidationError

from pipeline.audio.front_end import (
    LogMel,
    Mfcc,
    audio_features,
    completed,
    frames_of,
    with_deltas,
)
from pipeline.errors import UserError

AUDIO = {"sample_rate": 16000, "window": "hamming", "frame_ms": 25.0, "hop_ms": 10.0,
         "dft_points": 400, "mels": 40, "low_hz": 20.0, "high_hz": 7800.0, "deltas": 0}


def log_mel(**changes: object) -> LogMel:
    return LogMel.model_validate({"kind": "log-mel", **AUDIO, **changes})


def mfcc(**changes: object) -> Mfcc:
    return Mfcc.model_validate({"kind": "mfcc", "coefficients": 13, **AUDIO, **changes})


def signal(samples: int = 4000) -> NDArray[np.float32]:
    time = np.arange(samples) / 16000
    noise = np.random.default_rng(0).normal(0, 0.01, samples)
    return (0.3 * np.sin(2 * np.pi * 440 * time) + noise).astype(np.float32)


def mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """The lecture's scale."""
    return 1127 * np.log(1 + np.asarray(hertz) / 700)


def filters(points: int, count: int, low: float, high: float) -> NDArray[np.float64]:
    """Triangles [count, points // 2 + 1] between points that are evenly spaced in mel."""
    edges = 700 * (np.exp(np.linspace(mel(low), mel(high), count + 2) / 1127) - 1)
    bins = np.arange(points // 2 + 1) * 16000 / points
    triangles = np.zeros((count, len(bins)))
    for index in range(count):
        left, centre, right = edges[index : index + 3]
        rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
        triangles[index] = np.maximum(0, np.minimum(rising, falling))
    return triangles


def power_spectrum(samples: NDArray[np.float32], window: NDArray[np.float64],
                   hop: int) -> NDArray[np.float64]:
    """|sum_n x(n) w(n) e^(-2 pi i k n / L)|^2 by the sum itself, shape [frames, L // 2 + 1]."""
    length = len(window)
    n = np.arange(length)
    dft = np.exp(-2j * np.pi * np.outer(np.arange(length // 2 + 1), n) / length)
    starts = range(0, len(samples) - length + 1, hop)
    return np.array([np.abs(dft @ (samples[t : t + length] * window)) ** 2 for t in starts])


def windows(length: int) -> dict[str, NDArray[np.float64]]:
    n = np.arange(length)
    return {"hamming": 0.54 - 0.46 * np.cos(2 * np.pi * n / length),
            "rectangular": np.ones(length)}


@pytest.mark.parametrize("window", ["hamming", "rectangular"])
def test_log_mel_is_window_dft_mel_filters_and_logarithm(window: str) -> None:
    found = audio_features(log_mel(window=window), signal())
    power = power_spectrum(signal(), windows(400)[window], hop=160)
    expected = np.log(power @ filters(400, 40, 20, 7800).T + 1e-6)
    # torchaudio's scale is 2595 log10(1 + f/700): 1126.994 where the lecture has 1127.
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_mfcc_is_the_orthonormal_cosine_transform_of_log_mel() -> None:
    energies = audio_features(log_mel(), signal()).astype(np.float64)
    m = np.arange(40)
    basis = np.array([np.cos(np.pi * k * (m + 0.5) / 40) for k in range(13)]) * np.sqrt(2 / 40)
    basis[0] /= np.sqrt(2)
    np.testing.assert_allclose(audio_features(mfcc(), signal()), energies @ basis.T,
                               rtol=1e-4, atol=1e-3)


def test_a_tone_is_loudest_in_the_filter_around_it() -> None:
    loudest = audio_features(log_mel(), signal()).mean(axis=0).argmax()
    centres = np.linspace(mel(20), mel(7800), 42)[1:-1]
    assert loudest == np.abs(centres - mel(440)).argmin()


def test_frames_begin_every_hop_and_none_is_padded() -> None:
    short = audio_features(log_mel(), signal(400 + 160 * 5 + 159))
    assert short.shape == (6, 40)
    np.testing.assert_allclose(short, audio_features(log_mel(), signal(4000))[:6], atol=1e-4)


def test_deltas_are_regression_slopes_over_five_frames() -> None:
    static = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
    found = with_deltas(static, order=2)
    edge = np.pad(static, ((2, 2), (0, 0)), mode="edge")
    slopes = sum(k * (edge[2 + k : 22 + k] - edge[2 - k : 22 - k]) for k in (1, 2)) / 10
    np.testing.assert_allclose(found[:, :3], static)
    np.testing.assert_allclose(found[:, 3:6], slopes, atol=1e-6)
    assert found.shape == (20, 9)
    line = np.arange(20, dtype=np.float32)[:, None] * 3
    np.testing.assert_allclose(with_deltas(line, 2)[4:-4, 1:], [[3, 0]] * 12, atol=1e-5)


@pytest.mark.parametrize("changes", [
    {"frame_ms": 30.0}, {"high_hz": 8001.0}, {"low_hz": 7900.0}, {"hop_ms": 0.01},
    {"window": "hann"}, {"deltas": 3}])
def test_settings_that_do_not_fit_are_refused(changes: dict) -> None:
    with pytest.raises(ValidationError):
        log_mel(**changes)


def test_more_coefficients_than_filters_are_refused() -> None:
    with pytest.raises(ValidationError):
        mfcc(coefficients=41)


def written(path: Path, samples: NDArray, rate: int = 16000, **options: str) -> Path:
    soundfile.write(path, samples, rate, **options)
    return path


def test_audio_is_read_and_transformed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.flac", signal())
    found = frames_of(log_mel(deltas=1), path)
    assert found.shape == (23, 80) and found.dtype == np.float32


def test_bad_audio_is_named_with_its_reason(tmp_path: Path) -> None:
    broken = signal()
    broken[7] = np.nan
    (tmp_path / "text.flac").write_text("no audio")
    cases = {
        written(tmp_path / "empty.wav", np.zeros(0)): "0 samples",
        written(tmp_path / "short.flac", signal(399)): "399 samples are less than one DFT",
        written(tmp_path / "rate.flac", signal(), 8000): "8000 samples a second, expected 16000",
        written(tmp_path / "stereo.flac", np.stack([signal()] * 2, 1)): "2 channels",
        written(tmp_path / "nan.wav", broken, subtype="FLOAT"): "sample 7, .* is not a finite",
        tmp_path / "text.flac": "cannot be read as audio",
        tmp_path / "missing.flac": "is no file",
    }
    for path, reason in cases.items():
        with pytest.raises(UserError, match=f"{path.name}.*{reason}"):
            frames_of(log_mel(), path)


@pytest.mark.parametrize("static", [
    np.zeros((0, 13), np.float32), np.array([[1, np.nan]], np.float32),
    np.array([[np.inf, 1]], np.float32)], ids=["none", "NaN", "infinity"])
def test_frames_that_are_none_or_no_numbers_are_refused(static: NDArray[np.float32]) -> None:
    with pytest.raises(UserError, match=r"a\.wav: no features, or some that are not finite"):
        completed(log_mel(), static, "a.wav")
