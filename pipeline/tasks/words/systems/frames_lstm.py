"""LSTM that answers at the last frame, with its loss there or, by a dial, at all frames.

The lecture on many-to-one networks defines the divergence of a word either at the last frame alone,
where everything has been heard, or as a weighted sum over all frames, sum_t w_t loss_t, so that
every state is asked for the word and gradients have short ways to every frame. `dial` goes from
one to the other: it is the share of the loss that is spread evenly,

    w_t = dial / T + (1 - dial) [t = T],

which sums to 1 for a word of T frames. Nothing is read from right to left, and the answer is always
that of the last frame.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from pipeline.nn.dropout import FreshDropout
from pipeline.nn.rnn import Stack
from pipeline.tasks.words.shared.classifier import Body, Classifier
from pipeline.tasks.words.shared.hearing import NetworkSettings

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Settings(NetworkSettings):
    hidden: int = Field(ge=1)
    layers: int = Field(ge=1, le=8)
    dial: float = Field(
        ge=0, le=1, description="share of the loss spread over all frames; 0: the last alone")


class LstmBody(Body):
    """LSTM layers, and an output layer that reads every state."""

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.dial = settings.dial
        self.lstm = Stack("lstm", spec["dimension"], [settings.hidden] * settings.layers,
                          settings.dropout, masks="fresh")
        self.dropout = FreshDropout(settings.dropout)
        self.output = nn.Linear(settings.hidden, len(spec["labels"]))

    def along(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Log-probabilities [B, T, labels] after each frame; behind a word they mean nothing."""
        inputs = self.hearing(frames, lengths).transpose(0, 1)
        states, _ = self.lstm(inputs, self.lstm.start(inputs.shape[1]))
        return self.output(self.dropout(states)).transpose(0, 1).float().log_softmax(dim=-1)

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        found = self.along(frames, lengths)
        return found[torch.arange(len(found), device=found.device), lengths - 1]

    def loss(self, frames: Tensor, lengths: Tensor, labels: Tensor) -> Tensor:
        """In training the weighted sum over each word's frames, otherwise the last frame's loss."""
        if not self.training:
            return super().loss(frames, lengths, labels)
        found = self.along(frames, lengths)
        losses = functional.nll_loss(found.transpose(1, 2), labels[:, None].expand(found.shape[:2]),
                                     reduction="none")
        return (frame_weights(lengths, found.shape[1], self.dial) * losses).sum()


class FramesLstm(Classifier[LstmBody]):
    settings: Settings

    def body(self) -> LstmBody:
        return LstmBody(self.settings, self.spec)

    def answers_along(self, frames: NDArray[np.float32], speaker: str) -> NDArray:
        """Probabilities [T, labels] after each frame of a word, `frames` [T, D]."""
        return self.asked(_probabilities_along, frames, speaker)

    def pictures(self, test: Path, place: int) -> Iterator[tuple[str, "Figure"]]:
        """The answer after each frame of a test item."""
        from pipeline.tasks.words.shared.along_picture import along_picture

        yield "along", along_picture(
            self.answers_along, "probability", 1, "What the network would answer after each frame",
            self.spec, test, place)


def _probabilities_along(body: LstmBody, frames: Tensor, lengths: Tensor) -> Tensor:
    return body.along(frames, lengths).exp()


def frame_weights(lengths: Tensor, frames: int, dial: float) -> Tensor:
    """w_t of words with `lengths` [B], shape [B, frames]: they sum to 1, padding weighs 0."""
    places = torch.arange(1, frames + 1, device=lengths.device)
    ends = lengths[:, None]
    return (places <= ends) * (dial / ends) + (places == ends) * (1 - dial)
