"""What every network for words does to frames before its first layer.

Rooms and microphones differ most in what is heard where nothing is said, so what lies further below
a word's loudest feature than a given range is raised to the range's lower end. Then features are
brought to mean 0 and deviation 1 over the training frames. In training, noise is added to them,
their channels are stretched as by another vocal tract (Jaitly and Hinton 2013, "Vocal Tract Length
Perturbation improves speech recognition") and coloured as by another microphone, and stretches of
time and of frequency are covered (SpecAugment; Park et al. 2019), so that no network relies on one
place, one speaker or his microphone.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from pipeline.audio.masking import mask
from pipeline.entries import SystemSettings, TrainingSettings

_LEAST_DEVIATION = 1e-5
_WAVES = 3
_NATS_A_DB = math.log(10) / 10  # of a power, as log-mel is


class NetworkSettings(SystemSettings):
    """What networks for words have in common."""

    dropout: float = Field(ge=0, lt=1)
    range_db: float = Field(
        ge=0, description="of log-mel, below a word's loudest feature; what is softer is raised to "
                          "its end, and the loudest is 0; 0: frames as they are")
    input_noise: float = Field(
        ge=0, description="deviation of noise added in training to standardised features")
    tempo: float = Field(
        ge=0, lt=1, description="largest share by which a word becomes longer or shorter")
    warp: float = Field(
        ge=0, lt=1, description="largest share by which channels are stretched or compressed")
    colour: float = Field(
        ge=0, description="deviation of each of three waves over all channels, added to a word")
    time_masks: int = Field(ge=0)
    time_mask_frames: int = Field(ge=0)
    feature_masks: int = Field(ge=0)
    feature_mask_width: int = Field(ge=0)
    batch_utterances: int = Field(ge=1)
    training: TrainingSettings


class Hearing(nn.Module):
    """Standardises frames and, in training, alters them; `spec` is the features'."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, settings: NetworkSettings, spec: Mapping[str, Any]) -> None:
        super().__init__()
        self.settings = settings
        self.register_buffer("mean", torch.tensor(spec["mean"], dtype=torch.float32))
        self.register_buffer("deviation", torch.tensor(spec["deviation"], dtype=torch.float32))

    def standardise_by(self, words: Iterable[NDArray[np.float32]]) -> None:
        """Take mean and deviation of all frames of `words`, each [T, D], for the features'."""
        heard = [self._in_range(torch.tensor(frames)[None], torch.tensor([len(frames)]))[0]
                 for frames in words]
        deviation, mean = torch.std_mean(torch.cat(heard).double(), dim=0, correction=0)
        self.mean.copy_(mean)
        self.deviation.copy_(deviation.clamp(min=_LEAST_DEVIATION))

    def _in_range(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """`frames` [B, T, D] with nothing below the range of their word."""
        if not self.settings.range_db:
            return frames
        behind = torch.arange(frames.shape[1], device=frames.device) >= lengths[:, None]
        loudest = frames.masked_fill(behind[:, :, None], -torch.inf).amax(dim=(1, 2), keepdim=True)
        return (frames - loudest).clamp(min=-self.settings.range_db * _NATS_A_DB)

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """`frames` [B, T, D] of `lengths` [B] as the network hears them, [B, T, D]."""
        settings = self.settings
        inputs = (self._in_range(frames, lengths) - self.mean) / self.deviation
        if not self.training:
            return inputs
        if settings.warp:
            inputs = warped(inputs, settings.warp)
        if settings.colour:
            colours = waves(len(inputs), inputs.shape[2], inputs.device)
            inputs = inputs + settings.colour * colours[:, None, :]
        inputs = inputs + settings.input_noise * torch.randn_like(inputs)
        return mask(inputs, lengths, time_masks=settings.time_masks,
                    longest=settings.time_mask_frames, feature_masks=settings.feature_masks,
                    widest=settings.feature_mask_width)


def warped(frames: Tensor, largest: float) -> Tensor:
    """`frames` [B, T, D] with channel d of each word taken from channel (1 + a) d of its frames.

    The a of a word is drawn between -`largest` and `largest` from torch's global generator. Between
    channels is interpolated, and beyond the last one stands the last.
    """
    batch, _, channels = frames.shape
    stretch = 1 + largest * (2 * torch.rand(batch, 1, device=frames.device) - 1)
    places = (torch.arange(channels, device=frames.device) * stretch).clamp(max=channels - 1)
    below = places.floor().long()
    share = (places - below)[:, None, :]
    above = (below + 1).clamp(max=channels - 1)
    first, second = (frames.take_along_dim(index[:, None, :], dim=2) for index in (below, above))
    return first * (1 - share) + second * share


def waves(words: int, channels: int, device: torch.device) -> Tensor:
    """Random smooth curves over `channels`, [words, channels], of which each has mean 0.

    A curve is the sum of half a wave, a whole one and one and a half over all channels, each by a
    normal number from torch's global generator: a slope, a bow and a twist, as a microphone and a
    room add them to log-mel.
    """
    places = (torch.arange(channels, device=device) + 0.5) / channels
    halves = torch.arange(1, _WAVES + 1, device=device)
    curves = torch.cos(torch.pi * halves[:, None] * places)
    return torch.randn(words, _WAVES, device=device) @ curves
