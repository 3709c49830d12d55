"""Multi-layer perceptron over the mean frame: what can be known of a word without its order.

All frames are averaged before the first layer, so a word and the same word backward are one; what
a network that reads frames one after another does better, it owes to their order or to what single
frames say. The opponent of the lecture on many-to-one networks.
"""

from typing import Any

import torch
from pydantic import Field
from torch import Tensor

from pipeline.tasks.words.shared.classifier import Body, Classifier
from pipeline.tasks.words.shared.hearing import NetworkSettings
from pipeline.tasks.words.shared.perceptron import perceptron


class Settings(NetworkSettings):
    hidden: int = Field(ge=1)
    layers: int = Field(ge=1, le=8, description="hidden layers")


class MeanBody(Body):
    """The mean of a word's frames goes through hidden layers."""

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.layers = perceptron(spec["dimension"], [settings.hidden] * settings.layers,
                                 len(spec["labels"]), settings.dropout)

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        inputs = self.hearing(frames, lengths)
        inside = torch.arange(frames.shape[1], device=frames.device) < lengths[:, None]
        mean = (inputs * inside[:, :, None]).sum(dim=1) / lengths[:, None]
        return self.layers(mean).float().log_softmax(dim=-1)


class MeanPerceptron(Classifier[MeanBody]):
    settings: Settings

    def body(self) -> MeanBody:
        return MeanBody(self.settings, self.spec)
