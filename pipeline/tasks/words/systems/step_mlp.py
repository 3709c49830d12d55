"""Multi-layer perceptron of each frame by itself, whose votes are summed.

The first model of the lecture on many-to-one networks: a series is taken as a series of separate
inputs. Each frame is asked for the word and knows of no other frame; the word with the largest sum
of the frames' probabilities is the answer, and their mean its probability.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from pipeline.tasks.words.shared.classifier import Body, Classifier
from pipeline.tasks.words.shared.hearing import NetworkSettings
from pipeline.tasks.words.shared.perceptron import perceptron

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Settings(NetworkSettings):
    hidden: int = Field(ge=1)
    layers: int = Field(ge=1, le=8, description="hidden layers")


class StepBody(Body):
    """Every frame goes through the same hidden layers."""

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.layers = perceptron(spec["dimension"], [settings.hidden] * settings.layers,
                                 len(spec["labels"]), settings.dropout)

    def along(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Log-probabilities [B, T, labels] by each frame."""
        return self.layers(self.hearing(frames, lengths)).float().log_softmax(dim=-1)

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        votes = self.along(frames, lengths)
        votes = votes.masked_fill(~_inside(frames, lengths)[:, :, None], -math.inf)
        return votes.logsumexp(dim=1) - lengths[:, None].log()

    def loss(self, frames: Tensor, lengths: Tensor, labels: Tensor) -> Tensor:
        """In training the mean over each word's frames, each by itself; otherwise the answer's."""
        if not self.training:
            return super().loss(frames, lengths, labels)
        votes = self.along(frames, lengths)
        losses = functional.nll_loss(votes.transpose(1, 2), labels[:, None].expand(votes.shape[:2]),
                                     reduction="none")
        return (losses * _inside(frames, lengths) / lengths[:, None]).sum()


class StepPerceptron(Classifier[StepBody]):
    settings: Settings

    def body(self) -> StepBody:
        return StepBody(self.settings, self.spec)

    def votes(self, frames: NDArray[np.float32], speaker: str) -> NDArray:
        """Probabilities [T, labels] by each frame of a word, `frames` [T, D]."""
        return self.asked(_votes, frames, speaker)

    def pictures(self, test: Path, place: int) -> Iterator[tuple[str, "Figure"]]:
        """The vote of each frame of a test item."""
        from pipeline.tasks.words.shared.along_picture import along_picture

        yield "along", along_picture(
            self.votes, "probability", 1, "What each frame says by itself", self.spec, test, place)


def _votes(body: StepBody, frames: Tensor, lengths: Tensor) -> Tensor:
    return body.along(frames, lengths).exp()


def _inside(frames: Tensor, lengths: Tensor) -> Tensor:
    """Which of `frames` [B, T, D] belong to their word, [B, T]."""
    return torch.arange(frames.shape[1], device=frames.device) < lengths[:, None]
