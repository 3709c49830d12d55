"""Recurrent network that answers from an average of its states over time: attention pooling.

a_t = softmax(u_t . u_l) with u_t = tanh(W h_t + b) (Yang et al. 2016; `pipeline.nn.attention`).
The weights say which frames matter for this word, so none has to be carried to the end of the
recording and nobody has to choose the weights of a loss (the lecture on many-to-one networks).
"""

from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from pipeline.nn.attention import AttentionPooling, Query
from pipeline.nn.dropout import FreshDropout
from pipeline.nn.rnn import BidirectionalStack, Stack
from pipeline.tasks.words.shared.classifier import Body, Classifier
from pipeline.tasks.words.shared.hearing import NetworkSettings


class Settings(NetworkSettings):
    cell: Literal["lstm", "gru-torch"]
    bidirectional: bool = Field(description="whether layers read from both sides")
    hidden: int = Field(ge=1, description="units of a direction")
    layers: int = Field(ge=1, le=8)
    attention: int = Field(ge=1, description="dimensions of u")
    query: Query = Field(description="u_l is a parameter, or the u of the last frame")


class AttendingBody(Body):
    """Recurrent layers, and an output layer that reads the weighted average of their states."""

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        widths = [settings.hidden] * settings.layers
        kind = BidirectionalStack if settings.bidirectional else Stack
        self.layers = kind(settings.cell, spec["dimension"], widths, settings.dropout,
                           masks="fresh")
        width = settings.hidden * (2 if settings.bidirectional else 1)
        self.pooling = AttentionPooling(width, settings.attention, settings.query)
        self.dropout = FreshDropout(settings.dropout)
        self.output = nn.Linear(width, len(spec["labels"]))

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        context, _ = self.pooled(frames, lengths)
        return self.output(self.dropout(context)).float().log_softmax(dim=-1)

    def pooled(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Averages [B, width] of the states, and their weights [B, T]."""
        inputs = self.hearing(frames, lengths).transpose(0, 1)
        if isinstance(self.layers, BidirectionalStack):
            states = self.layers(inputs, lengths)
        else:
            states, _ = self.layers(inputs, self.layers.start(inputs.shape[1]))
        mask = torch.arange(frames.shape[1], device=frames.device) < lengths[:, None]
        return self.pooling(states.transpose(0, 1), mask)


class AttentionClassifier(Classifier[AttendingBody]):
    settings: Settings

    def body(self) -> AttendingBody:
        return AttendingBody(self.settings, self.spec)

    def attention_weights(self, frames: NDArray[np.float32], speaker: str) -> NDArray:
        """Weights [T] of the frames of a word, `frames` [T, D]; they sum to 1."""
        return self.asked(_weights, frames, speaker)


def _weights(body: AttendingBody, frames: Tensor, lengths: Tensor) -> Tensor:
    return body.pooled(frames, lengths)[1]
