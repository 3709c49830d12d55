"""The acoustic front end: from samples to one vector every few milliseconds.

A frame of the signal is multiplied by a window, transformed by the DFT, its power collected in
triangular filters that are equally wide on the mel scale 1127 ln(1 + f/700), and its logarithm
taken: log-mel. The cosine transform of log-mel, cut to its first coefficients, is MFCC (Davis and
Mermelstein 1980). Computed by torchaudio; frame t begins at sample t * hop and nothing is padded.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from pipeline.audio.decoding import decoded
from pipeline.entries import Entry
from pipeline.errors import UserError

FLOOR = 1e-6  # added to the energies of log-mel, as MFCC does
Frames = NDArray[np.float32]
Deltas = Annotated[int, Field(ge=0, le=2, description="1: with deltas; 2: with double deltas too")]


class Audio(Entry):
    """What log-mel and MFCC share: frames, window, DFT, mel filters."""

    sample_rate: int = Field(ge=1000, description="of the recordings, in Hz")
    window: Literal["hamming", "rectangular"]
    frame_ms: float = Field(gt=0, le=100)
    hop_ms: float = Field(gt=0, le=100)
    dft_points: int = Field(ge=2, description="frames are padded with zeros up to this")
    mels: int = Field(ge=2)
    low_hz: float = Field(ge=0)
    high_hz: float = Field(gt=0)

    @property
    def frame_samples(self) -> int:
        return round(self.sample_rate * self.frame_ms / 1000)

    @property
    def hop_samples(self) -> int:
        return round(self.sample_rate * self.hop_ms / 1000)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.frame_samples > self.dft_points:
            raise ValueError(f"a frame of {self.frame_samples} samples is longer than dft_points")
        if self.hop_samples < 1:
            raise ValueError("hop_ms is less than one sample")
        if not self.low_hz < self.high_hz <= self.sample_rate / 2:
            raise ValueError("low_hz < high_hz <= sample_rate / 2 must hold")
        return self


class LogMel(Audio):
    """Log energies of mel filters."""

    kind: Literal["log-mel"]
    deltas: Deltas


class Mfcc(Audio):
    """Mel cepstra."""

    kind: Literal["mfcc"]
    coefficients: int = Field(ge=1)
    deltas: Deltas

    @model_validator(mode="after")
    def _has_as_many(self) -> Self:
        if self.coefficients > self.mels:
            raise ValueError("there are no more coefficients than mels")
        return self


FrontEnd = Annotated[LogMel | Mfcc, Field(discriminator="kind")]


def frames_of(front_end: LogMel | Mfcc, path: Path) -> Frames:
    """Features of one recording, deltas included, shape [frames, dimension].

    Raises UserError naming the file when there is nothing to compute, a sample or feature is not a
    number, or audio and settings do not fit.
    """
    return completed(front_end, audio_features(front_end, read_audio(path, front_end)), str(path))


def completed(front_end: LogMel | Mfcc, static: Frames, name: str) -> Frames:
    """Static features with their deltas, [frames, dimension].

    Raises UserError, in which `name` is the utterance's, for none and for what is no number.
    """
    if len(static) == 0 or not np.isfinite(static).all():
        raise UserError(f"{name}: no features, or some that are not finite numbers; fetch or "
                        "generate the corpus again")
    return with_deltas(static, front_end.deltas)


def read_audio(path: Path, settings: Audio) -> NDArray[np.float32]:
    """Samples of a recording between -1 and 1, shape [samples].

    Raises UserError for what `pipeline.audio.decoding` refuses, and for a file that is too short
    for one frame or has several channels or another sample rate.
    """
    samples, rate, channels = decoded(path, str(path))
    problem = ""
    if rate != settings.sample_rate:
        problem = f"{rate} samples a second, expected {settings.sample_rate}; resample the file"
    elif channels != 1:
        problem = f"{channels} channels, expected one; mix them down"
    elif len(samples) < settings.dft_points:
        problem = (f"{len(samples)} samples are less than one DFT of {settings.dft_points}; "
                   "remove the utterance and its transcript")
    if problem:
        raise UserError(f"{path}: {problem}")
    return samples


def audio_features(settings: LogMel | Mfcc, samples: NDArray[np.float32]) -> Frames:
    """Static features of samples [n], shape [1 + (n - dft_points) // hop, mels or coefficients]."""
    import torch

    with torch.inference_mode():
        found = transform(settings)(torch.from_numpy(samples)).T
        return (torch.log(found + FLOOR) if settings.kind == "log-mel" else found).numpy()


def with_deltas(static: Frames, order: int) -> Frames:
    """Static features beside their slopes over five frames, [frames, dimension * (1 + order)]."""
    import torch
    from torchaudio.functional import compute_deltas

    parts = [torch.from_numpy(static.T.copy())]
    for _ in range(order):
        parts.append(compute_deltas(parts[-1]))
    return torch.cat(parts).T.contiguous().numpy()


@cache
def transform(settings: LogMel | Mfcc) -> Any:
    """torchaudio's transform; the power is of samples between -1 and 1, floored by 1e-6."""
    import torch
    from torchaudio.transforms import MFCC, MelSpectrogram

    # torch's window is periodic by default, which is the formula over L, not L - 1.
    window = torch.hamming_window if settings.window == "hamming" else torch.ones
    mel = {"n_fft": settings.dft_points, "win_length": settings.frame_samples,
           "hop_length": settings.hop_samples, "f_min": settings.low_hz,
           "f_max": settings.high_hz, "n_mels": settings.mels, "window_fn": window,
           "power": 2.0, "center": False, "mel_scale": "htk"}
    if isinstance(settings, LogMel):
        return MelSpectrogram(settings.sample_rate, **mel)
    return MFCC(settings.sample_rate, settings.coefficients, log_mels=True, melkwargs=mel)
