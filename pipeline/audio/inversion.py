"""From log-mel features back to sound.

The mel filters sum neighbouring frequencies and the power has no phase, so both are estimated:
the spectrum as a non-negative solution of least squares, by the multiplicative updates of Lee and
Seung 2001 ("Algorithms for Non-negative Matrix Factorization"), the phase as one that is
consistent between overlapping frames (Griffin and Lim 1984, "Signal Estimation from Modified
Short-Time Fourier Transform"; with the momentum of Perraudin et al. 2013).
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.audio.front_end import FLOOR, LogMel, transform

_UPDATES = 100
_TINY = 1e-20


def samples_of(settings: LogMel, frames: NDArray[np.float32], rounds: int = 60,
               seed: int = 0) -> NDArray[np.float32]:
    """Samples whose features are about `frames` [frames, mels], without deltas.

    The shape is [(frames - 1) * hop + dft_points]: frame t begins at sample t * hop, as in the
    recording. The phase begins at random, by `seed` alone. Raises ValueError for frames of another
    width, and when hops are longer than frames, which leaves samples that no frame has seen.
    """
    if frames.ndim != 2 or frames.shape[1] != settings.mels or not len(frames):
        raise ValueError(f"expected [frames, {settings.mels}] features, got {frames.shape}")
    if settings.hop_samples > settings.frame_samples:
        raise ValueError("hops are longer than frames")
    with torch.inference_mode():
        mel = (torch.from_numpy(frames).exp() - FLOOR).clamp(min=0.0).T
        return _griffin_lim(settings, power_spectrum(settings, mel), rounds, seed).numpy()


def power_spectrum(settings: LogMel, mel: Tensor) -> Tensor:
    """A non-negative power spectrum [bins, frames] whose mel energies are about `mel` [mels, ...].

    Bins that no filter covers stay 0.
    """
    filters = transform(settings).mel_scale.fb  # [bins, mels]
    wanted = filters @ mel
    overlap = filters @ filters.T
    found = wanted.clone()
    for _ in range(_UPDATES):
        found *= wanted / (overlap @ found).clamp(min=_TINY)
    return found


def _griffin_lim(settings: LogMel, power: Tensor, rounds: int, seed: int) -> Tensor:
    from torchaudio.transforms import GriffinLim

    points, hop = settings.dft_points, settings.hop_samples
    # GriffinLim centres frame t on sample t * hop. Repeated frames at both ends make room for the
    # halves of the outer frames, and shift the beginning of the first frame to `start`.
    more = math.ceil(points / 2 / hop)
    power = torch.cat([power[:, :1].expand(-1, more), power, power[:, -1:].expand(-1, more)], 1)
    start = more * hop - points // 2
    length = power.shape[1] - 2 * more - 1
    search = GriffinLim(points, rounds, settings.frame_samples, hop, power=2.0)
    search.window = transform(settings).spectrogram.window
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return search(power)[start : start + length * hop + points].clone()
