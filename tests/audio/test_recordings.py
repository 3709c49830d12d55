"""Recordings of any rate, channel count and format, and what is said of those that are none."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from pipeline.audio.recordings import read_recording, resampled
from pipeline.errors import UserError

RATE = 16000


def tone(hertz: float, rate: int, seconds: float = 1.0) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def loudest_hertz(samples: NDArray[np.float32]) -> float:
    """Frequency of the largest bin; a bin is 1 Hz in a second's recording."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * RATE / len(samples))


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize(("rate", "channels"), [(44100, 2), (16000, 1), (8000, 1), (48000, 2)])
def test_any_format_rate_and_channels(tmp_path: Path, kind: str, rate: int,
                                      channels: int) -> None:
    path = tmp_path / f"tone.{kind}"
    soundfile.write(path, np.stack([tone(440, rate)] * channels, axis=1), rate)
    found = read_recording(path, RATE)
    assert found.dtype == np.float32 and found.ndim == 1
    # An MP3 without its encoder's delay in the header keeps up to a few frames of it.
    assert len(found) == pytest.approx(RATE, abs=2400 if kind == "mp3" else 0)
    assert loudest_hertz(found) == pytest.approx(440, abs=1.5)
    middle = found[4000:12000]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.03)


@pytest.mark.parametrize("rate", [11025, 22050, 44101, 96000, 191999])
def test_resampling_keeps_pitch_and_duration(rate: int) -> None:
    found = resampled(tone(1000, rate).astype(np.float32), rate, RATE)
    assert len(found) == pytest.approx(RATE, abs=1)
    expected = tone(1000, RATE)[: len(found)]
    np.testing.assert_allclose(found[200:-200], expected[200:-200], atol=0.02)


def test_what_the_new_rate_cannot_hold_is_filtered_out() -> None:
    found = resampled(tone(10_000, 44100).astype(np.float32), 44100, RATE)
    assert np.abs(found[200:-200]).max() < 0.01


def test_channels_are_averaged(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.stack([tone(440, RATE), np.zeros(RATE)], axis=1), RATE,
                    subtype="FLOAT")
    np.testing.assert_allclose(read_recording(path, RATE), tone(440, RATE) / 2, atol=1e-6)


def test_what_is_no_recording_is_named_with_the_remedy(tmp_path: Path) -> None:
    broken = tone(440, 8000)
    broken[4000] = np.inf
    soundfile.write(tmp_path / "inf.wav", broken, 8000, subtype="FLOAT")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 8000)
    soundfile.write(tmp_path / "short.flac", tone(440, 8000, 0.02), 8000)
    (tmp_path / "text.mp3").write_text("no audio")
    (tmp_path / "headerless.raw").write_bytes(bytes(100))
    (tmp_path / "folder.wav").mkdir()
    whole = tmp_path / "whole.flac"
    soundfile.write(whole, np.random.default_rng(0).normal(0, 0.1, 8000), 8000)
    (tmp_path / "cut.flac").write_bytes(whole.read_bytes()[:4000])
    cases = {
        "inf.wav": r"sample 4000, at 0\.500 s, is not a finite number; mend",
        "empty.wav": r"0 samples, 0\.000 s, are too short; give a recording of at least 400",
        "short.flac": r"160 samples, 0\.020 s, are too short; give .* 400 samples at 16000 Hz",
        "text.mp3": "cannot be read as audio .* give a WAV, FLAC, OGG or MP3",
        "headerless.raw": "cannot be read as audio",
        "cut.flac": "cannot be read as audio",
        "folder.wav": "is no file",
        "missing.wav": "is no file",
    }
    for name, reason in cases.items():
        with pytest.raises(UserError, match=f"{name}.*{reason}"):
            read_recording(tmp_path / name, RATE, least=400)


def test_no_more_samples_are_needed_than_are_asked_for(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(440, RATE)[:400], RATE)
    assert len(read_recording(tmp_path / "a.wav", RATE, least=400)) == 400
    soundfile.write(tmp_path / "one.wav", np.zeros(1), RATE)
    assert len(read_recording(tmp_path / "one.wav", RATE)) == 1


def test_a_recording_is_called_as_its_user_calls_it(tmp_path: Path) -> None:
    (tmp_path / "spooled.wav").write_bytes(b"no sound")
    with pytest.raises(UserError, match="^standard input cannot be read as audio"):
        read_recording(tmp_path / "spooled.wav", 16000, name="standard input")
