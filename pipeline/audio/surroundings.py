"""Noise and rooms, added in training to log-mel frames that are computed already.

A network that hears one sound in many surroundings learns what they leave alone (multi-condition
training; Ko et al. 2017, "A study on data augmentation of reverberant speech"). Both are done to
powers, the exponentials of log-mel:

- Noise adds its power to that of speech, for the two are uncorrelated and the product between them
  is 0 on the average. That of a noise is steady but for the dice that every power spectrum throws:
  in a narrow filter the power of Gaussian noise is exponentially distributed.
- A room goes on sounding. In Polack's model (1988) its impulse response is noise that decays
  exponentially, by 60 dB in the decay time, so the power of a frame is left in each later frame,
  less by the same factor from one to the next.

Frames whose mean over a speaker was taken away are powers but for a constant factor in each filter:
exp(log p - m) = p / exp(m). A room does the same to p / exp(m) as to p. So does noise where its
strength is said relative to the speech of the same filter, as it is here: it has the spectrum of
the voice, and the same ratio of signal to noise in every filter. A noise with a spectrum of its own
could not be added, for how loud the voice was in each filter is what was taken away. In a noisy
condition that mean is taken away too, and with it most of what noise adds everywhere; so where
frames are `centred`, the mean over the utterance is made what it was.
"""

import math
from dataclasses import dataclass
from typing import Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from pipeline.entries import Entry


class Noise(Entry):
    """Steady noise with the spectrum of the voice."""

    probability: float = Field(gt=0, le=1, description="that an utterance has noise")
    least_snr: float = Field(ge=-30, le=90, description="ratio of signal to noise in dB")
    most_snr: float = Field(ge=-30, le=90)

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.least_snr > self.most_snr:
            raise ValueError("least_snr is at most most_snr")
        return self


class Reverberation(Entry):
    """A room without early echoes."""

    probability: float = Field(gt=0, le=1, description="that an utterance is in a room")
    least_seconds: float = Field(gt=0, le=10, description="time in which a room decays by 60 dB")
    most_seconds: float = Field(gt=0, le=10)

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.least_seconds > self.most_seconds:
            raise ValueError("least_seconds is at most most_seconds")
        return self


@dataclass(frozen=True)
class Surroundings:
    """What is added to utterances, whose frames are `hop_seconds` apart.

    `centred` says that frames have had a mean taken away, as they have in every condition.
    """

    noise: Noise | None
    reverberation: Reverberation | None
    hop_seconds: float
    centred: bool

    def around(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Log-mel `frames` [B, T, D] of `lengths` [B] in rooms and noise, some as they were.

        First the room, then the noise, whose ratio is to speech in the room. What stands behind
        the ends stays. Draws from torch's global generator.
        """
        powers = frames.exp()
        changed = torch.zeros_like(lengths, dtype=torch.bool)
        if self.reverberation is not None:
            within = _drawn(lengths, 0.0, 1.0) < self.reverberation.probability
            seconds = _drawn(lengths, self.reverberation.least_seconds,
                             self.reverberation.most_seconds)
            heard = reverberant(powers, left_after(self.hop_seconds, seconds))
            powers = torch.where(within[:, None, None], heard, powers)
            changed = changed | within
        if self.noise is not None:
            within = _drawn(lengths, 0.0, 1.0) < self.noise.probability
            ratios = _drawn(lengths, self.noise.least_snr, self.noise.most_snr)
            heard = noisy(powers, lengths, ratios, torch.empty_like(powers).exponential_())
            powers = torch.where(within[:, None, None], heard, powers)
            changed = changed | within
        found = powers.log()
        if self.centred:
            found = found - mean_over_time(found - frames, lengths)[:, None]
        return torch.where(changed[:, None, None] & inside(frames, lengths), found, frames)


def left_after(elapsed: float, seconds: Tensor) -> Tensor:
    """Share of its power that a room holds `elapsed` seconds later, if it decays by 60 dB in
    `seconds`.
    """
    return torch.exp(-6 * math.log(10) * elapsed / seconds)


def reverberant(powers: Tensor, left: Tensor) -> Tensor:
    """`powers` [B, T, D] in rooms that hold the share `left` [B] of a frame's power in the next.

    Frame t is the sum of left^k times frame t - k over all k: of twice as many at each step, as
    1 + x + x^2 + x^3 is (1 + x) (1 + x^2).
    """
    found, reach = powers, 1
    while reach < powers.shape[1]:
        later = torch.zeros_like(found)
        later[:, reach:] = found[:, :-reach] * (left**reach)[:, None, None]
        found, reach = found + later, 2 * reach
    return found


def noisy(powers: Tensor, lengths: Tensor, ratios: Tensor, dice: Tensor) -> Tensor:
    """`powers` [B, T, D] of `lengths` [B] and noise, at `ratios` [B] in dB of their mean power.

    The noise has in each filter that mean over time, less by the ratio, times `dice` [B, T, D],
    numbers around 1.
    """
    strength = mean_over_time(powers, lengths) * 10 ** (-ratios / 10)[:, None]
    return powers + strength[:, None] * dice


def mean_over_time(values: Tensor, lengths: Tensor) -> Tensor:
    """Mean [B, D] of `values` [B, T, D] over the first `lengths` [B] frames."""
    total = torch.where(inside(values, lengths), values, 0.0).sum(dim=1)
    return total / lengths.clamp(min=1)[:, None]


def inside(frames: Tensor, lengths: Tensor) -> Tensor:
    """Which of `frames` [B, T, D] are before their ends, [B, T, 1]."""
    return (torch.arange(frames.shape[1], device=frames.device) < lengths[:, None])[:, :, None]


def _drawn(lengths: Tensor, least: float, most: float) -> Tensor:
    """A number between `least` and `most` for each utterance."""
    return least + (most - least) * torch.rand(lengths.shape, device=lengths.device)
