"""What every network that recognises speech does to frames before its first layer.

Features are brought to mean 0 and deviation 1 over the training frames. In training noise is added
to them and stretches of time and of frequency are covered (SpecAugment; Park et al. 2019), so that
no network relies on one place.
"""

from collections.abc import Mapping
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from pipeline.audio.masking import mask
from pipeline.entries import SystemSettings, TrainingSettings


class NetworkSettings(SystemSettings):
    """What networks that recognise speech have in common."""

    dropout: float = Field(ge=0, lt=1)
    input_noise: float = Field(
        ge=0, description="deviation of noise added in training to standardised features")
    time_masks: int = Field(ge=0)
    time_mask_frames: int = Field(ge=0)
    feature_masks: int = Field(ge=0)
    feature_mask_width: int = Field(ge=0)
    batch_utterances: int = Field(ge=1)
    training: TrainingSettings


class Hearing(nn.Module):
    """Standardises frames and, in training, adds noise and masks; `spec` is the features'."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, settings: NetworkSettings, spec: Mapping[str, Any]) -> None:
        super().__init__()
        self.settings = settings
        self.register_buffer("mean", torch.tensor(spec["mean"], dtype=torch.float32))
        self.register_buffer("deviation", torch.tensor(spec["deviation"], dtype=torch.float32))

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """`frames` [B, T, D] of `lengths` [B] as the network hears them, [B, T, D]."""
        inputs = (frames - self.mean) / self.deviation
        if not self.training:
            return inputs
        inputs = inputs + self.settings.input_noise * torch.randn_like(inputs)
        return mask(inputs, lengths, time_masks=self.settings.time_masks,
                    longest=self.settings.time_mask_frames,
                    feature_masks=self.settings.feature_masks,
                    widest=self.settings.feature_mask_width)
