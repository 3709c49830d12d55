"""Rolls as sound: additive synthesis, a few harmonics with an envelope for each note.

Harmonic n of a note has the amplitude 1 / n^2, as a soft organ pipe's, and those above half the
sampling rate are left out. A note rises for some milliseconds and dies away after its end, so that
nothing clicks.
"""

from io import BytesIO
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from pipeline.storage.files import write_bytes
from pipeline.tasks.music.shared.midi import STEPS_A_MINUTE, notes_of
from pipeline.tasks.music.shared.rolls import Roll

SAMPLE_RATE = 22_050
SECONDS_A_STEP = 60 / STEPS_A_MINUTE
_HARMONICS = 8
_ATTACK, _RELEASE = 0.03, 0.25  # seconds
_PEAK = 0.8
_A4, _A4_HZ = 69, 440.0


def render(roll: Roll) -> NDArray[np.float32]:
    """Samples at SAMPLE_RATE; the loudest is 0.8 unless nothing sounds."""
    sound = np.zeros(_samples(len(roll) * SECONDS_A_STEP + _RELEASE))
    for note in notes_of(roll):
        tone = _tone(note.pitch, (note.end - note.start) * SECONDS_A_STEP)
        start = _samples(note.start * SECONDS_A_STEP)
        heard = sound[start : start + len(tone)]
        heard += tone[: len(heard)]
    loudest = np.abs(sound).max()
    return (sound * (_PEAK / loudest if loudest else 1.0)).astype(np.float32)


def write_wav(path: Path, roll: Roll) -> None:
    """A WAV file, 16 bits, one channel."""
    content = BytesIO()
    soundfile.write(content, render(roll), SAMPLE_RATE, format="WAV", subtype="PCM_16")
    write_bytes(path, content.getvalue())


def _tone(pitch: int, seconds: float) -> NDArray[np.float64]:
    """A note that is held for `seconds`, and its release."""
    times = np.arange(_samples(seconds + _RELEASE)) / SAMPLE_RATE
    frequency = _A4_HZ * 2 ** ((pitch - _A4) / 12)
    harmonics = [n for n in range(1, _HARMONICS + 1) if n * frequency < SAMPLE_RATE / 2]
    waves = sum(np.sin(2 * np.pi * n * frequency * times) / n**2 for n in harmonics)
    rising = np.minimum(times / _ATTACK, 1.0)
    falling = np.clip((seconds + _RELEASE - times) / _RELEASE, 0.0, 1.0)
    return waves * rising * falling


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)
