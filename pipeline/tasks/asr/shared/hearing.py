"""What every network that recognises speech does to frames before its first layer.

Features are brought to mean 0 and deviation 1 over the training frames. In training an utterance
may be put into a room and into noise (`pipeline.audio.surroundings`), numbers are added to its
features, and stretches of time and of frequency are covered (SpecAugment; Park et al. 2019), so
that no network relies on one place.
"""

from collections.abc import Mapping
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from pipeline.audio.masking import mask
from pipeline.audio.surroundings import Noise, Reverberation, Surroundings
from pipeline.entries import SystemSettings, TrainingSettings
from pipeline.errors import UserError


class NetworkSettings(SystemSettings):
    """What networks that recognise speech have in common."""

    dropout: float = Field(ge=0, lt=1)
    input_noise: float = Field(
        ge=0, description="deviation of noise added in training to standardised features")
    time_masks: int = Field(ge=0)
    time_mask_frames: int = Field(ge=0)
    feature_masks: int = Field(ge=0)
    feature_mask_width: int = Field(ge=0)
    noise: Noise | None = Field(None, description="in which utterances are heard in training")
    reverberation: Reverberation | None = Field(
        None, description="of rooms in which utterances are heard in training")
    batch_utterances: int = Field(ge=1)
    training: TrainingSettings


class Hearing(nn.Module):
    """Standardises frames and, in training, changes them; `spec` is the features'.

    Raises UserError for noise or a room in frames that are not log-mel.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, settings: NetworkSettings, spec: Mapping[str, Any]) -> None:
        super().__init__()
        self.settings = settings
        self.surroundings = _surroundings(settings, spec)
        self.register_buffer("mean", torch.tensor(spec["mean"], dtype=torch.float32))
        self.register_buffer("deviation", torch.tensor(spec["deviation"], dtype=torch.float32))

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """`frames` [B, T, D] of `lengths` [B] as the network hears them, [B, T, D]."""
        if self.training and self.surroundings is not None:
            frames = self.surroundings.around(frames, lengths)
        inputs = (frames - self.mean) / self.deviation
        if not self.training:
            return inputs
        inputs = inputs + self.settings.input_noise * torch.randn_like(inputs)
        return mask(inputs, lengths, time_masks=self.settings.time_masks,
                    longest=self.settings.time_mask_frames,
                    feature_masks=self.settings.feature_masks,
                    widest=self.settings.feature_mask_width)


def _surroundings(settings: NetworkSettings, spec: Mapping[str, Any]) -> Surroundings | None:
    """None where neither noise nor a room is asked for."""
    if settings.noise is None and settings.reverberation is None:
        return None
    front_end, normalise = spec["front_end"], spec["normalise"]
    if front_end["kind"] != "log-mel" or front_end["deltas"] or normalise == "utterance":
        raise UserError(
            f"track {settings.track}: noise and reverberation are added to powers, which are known "
            "of a front end of the kind log-mel without deltas whose utterances are not brought "
            f"to deviation 1; this one is {front_end['kind']} with deltas {front_end['deltas']}, "
            f"normalised by {normalise}: choose that front end or set both to null")
    return Surroundings(settings.noise, settings.reverberation, front_end["hop_ms"] / 1000,
                        centred=normalise == "speaker")
