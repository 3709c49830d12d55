"""Sound files in whatever way they are written: decoded whole, or refused with the reason."""

import math
import os
import random
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from pipeline.audio.decoding import LONGEST, decoded
from pipeline.errors import UserError
from tests.trials import trials

RATE = 16000
TONE = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
LENGTH = 40  # where a WAV header of one plain chunk keeps its bytes of samples


def rms(samples: NDArray) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def encodings() -> list[tuple[str, str]]:
    """Every container and encoding that libsndfile writes, but for headerless ones."""
    return [(kind, encoding) for kind in soundfile.available_formats() if kind != "RAW"
            for encoding in soundfile.available_subtypes(kind)
            if soundfile.check_format(kind, encoding)]


def test_every_encoding_is_heard_as_loud_and_as_long_as_it_is(tmp_path: Path) -> None:
    heard = 0
    for kind, encoding in encodings():
        path = tmp_path / "x.sound"
        try:
            soundfile.write(path, TONE, RATE, format=kind, subtype=encoding)
        except soundfile.LibsndfileError:
            continue  # not at this rate
        found = decoded(path, "own")
        assert found.rate == soundfile.info(path).samplerate  # some formats know few rates
        assert len(found.samples) == pytest.approx(RATE, abs=500), (kind, encoding)
        assert rms(found.samples) == pytest.approx(rms(TONE), rel=0.05), (kind, encoding)
        heard += 1
    assert heard > 50


@pytest.mark.parametrize("encoding, value", [
    ("PCM_U8", (200 - 128) / 128), ("PCM_24", -0.25), ("FLOAT", 1.5), ("DOUBLE", -2.0)])
def test_samples_keep_their_value(encoding: str, value: float, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", np.full(50, value), RATE, subtype=encoding)
    assert decoded(tmp_path / "x.wav", "own").samples == pytest.approx(value, abs=1e-6)


def unknown_length(path: Path) -> None:
    """Take the number of samples out of a FLAC's header, as an encoder into a pipe leaves it."""
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)


def test_a_flac_of_unknown_length_is_read_to_its_end(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.flac", TONE, RATE)
    known = decoded(tmp_path / "x.flac", "own").samples
    unknown_length(tmp_path / "x.flac")
    assert soundfile.info(tmp_path / "x.flac").frames > 2**60
    assert (decoded(tmp_path / "x.flac", "own").samples == known).all()
    assert len(known) == RATE


@pytest.mark.parametrize("promise", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000])
def test_a_wav_that_was_written_into_a_pipe_is_read_to_its_end(promise: int,
                                                               tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", TONE, RATE)
    rewritten(tmp_path / "x.wav", promise)
    assert len(decoded(tmp_path / "x.wav", "own").samples) == RATE


def rewritten(path: Path, promise: int) -> None:
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, LENGTH, promise)
    path.write_bytes(content)


@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "NIST",
                                  "FLAC", "OGG", "MP3"])
def test_half_a_file_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x.sound"
    soundfile.write(path, TONE, RATE, format=kind)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match="^own (was cut|cannot be read)"):
        decoded(path, "own")


@pytest.mark.parametrize("promise, message", [
    (1_000_000, "own was cut: its header promises 1000000, and there are 32000"),
    (100, "own is damaged: what follows its 50 samples"),
    (0, "own is damaged: what follows its 0 samples")])
def test_a_wrong_length_is_refused(promise: int, message: str, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", TONE, RATE)
    rewritten(tmp_path / "x.wav", promise)
    with pytest.raises(UserError, match=message):
        decoded(tmp_path / "x.wav", "own")


@pytest.mark.parametrize("value, message", [
    (math.nan, "is not a finite number"), (-math.inf, "is not a finite number"),
    (3000.0, "is 3000, and full scale is 1")])
@pytest.mark.parametrize("channel", [0, 1])
def test_a_sample_that_is_none_is_named_by_its_place(value: float, message: str, channel: int,
                                                     tmp_path: Path) -> None:
    samples = np.zeros((1_200_000, 2))
    samples[800_000, channel] = value
    soundfile.write(tmp_path / "x.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(UserError, match=f"^own: sample 800000, at 50.000 s, {message}"):
        decoded(tmp_path / "x.wav", "own")


@pytest.mark.parametrize("rate", [1, 999, 2**20 + 1])
def test_a_rate_of_no_recorder_is_refused(rate: int, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", TONE, rate)
    with pytest.raises(UserError, match=f"own has {rate} samples a second"):
        decoded(tmp_path / "x.wav", "own")


def test_no_more_is_read_than_the_bound(tmp_path: Path) -> None:
    """An hour and a half of silence has few bytes; 64 channels make blocks shorter, not larger."""
    with soundfile.SoundFile(tmp_path / "x.flac", "w", 1000, 1) as file:
        for _ in range(3 * LONGEST // 60):
            file.write(np.zeros(60 * 1000))
    with pytest.raises(UserError, match=f"own is longer than {LONGEST} s.*cut it"):
        decoded(tmp_path / "x.flac", "own")
    soundfile.write(tmp_path / "y.wav", np.tile(np.linspace(0, 0.63, 64), (40_000, 1)), RATE)
    assert decoded(tmp_path / "y.wav", "own").samples == pytest.approx(0.315, abs=1e-4)


def test_what_is_no_recording_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    for name in ("pipe.wav", "folder.wav", "missing.wav"):
        with pytest.raises(UserError, match="own is no file"):
            decoded(tmp_path / name, "own")
    for content in (b"", b"words", b"RIFF", b"fLaC", b"OggS", b"NIST_1A\n   1024\n"):
        (tmp_path / "x.wav").write_bytes(content)
        with pytest.raises(UserError, match="own cannot be read as audio"):
            decoded(tmp_path / "x.wav", "own")


def sounds(folder: Path) -> list[bytes]:
    """A short valid file of each encoding."""
    found = []
    for kind, encoding in encodings():
        try:
            soundfile.write(folder / "x", TONE[:600], RATE, format=kind, subtype=encoding)
        except soundfile.LibsndfileError:
            continue
        found.append((folder / "x").read_bytes())
    return found


@pytest.mark.fuzz
def test_damaged_sounds_are_heard_or_named(tmp_path: Path) -> None:
    whole, chance, named = sounds(tmp_path), random.Random(12), 0
    for _ in range(trials(600, 40_000)):
        content = chance.choice(whole)
        # Damage to a header is the more telling.
        place = chance.randrange(min(len(content), chance.choice([64, 10_000])))
        before, after = content[:place], content[place:]
        (tmp_path / "x").write_bytes(chance.choice([
            before + bytes([chance.randrange(256)]) + after[1:], before,
            before + bytes([after[0] ^ 1 << chance.randrange(8)]) + after[1:],
            before + after[chance.choice([1, 4]):], before + b"\xff" + after]))
        try:
            assert np.isfinite(decoded(tmp_path / "x", "own").samples).all()
        except UserError as error:
            assert str(error).startswith("own")
            named += 1
    assert named > 100
