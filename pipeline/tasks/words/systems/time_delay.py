"""The time-delay neural network of Waibel, Hanazawa, Hinton, Shikano and Lang 1989.

"Phoneme Recognition Using Time-Delay Neural Networks": each of 8 hidden units sees 3 neighbouring
frames, each of 3 units above them sees 5 steps of those 8 and stands for a class, /b/, /d/ or /g/;
all are moved along time with the same weights, which therefore need not know where in the recording
the phoneme is. What a class's unit finds at all places is summed, weighed by one number and given a
bias. For other tasks there are as many such units as classes, and `hidden` is a setting.

As in the paper, units are sigmoids of their sums and activations are added up; `squash` and
`evidence` choose the tanh and the squares of other work of the time (Lang, Waibel and Hinton 1990).
Three things differ. Here a softmax over classes and cross-entropy stand where the paper has
sigmoids and squared errors, so that an answer is a distribution. Frames are standardised over the
training data, where the paper brings each recording to between -1 and 1. And recordings have any
length: one shorter than the seven frames that a class's unit sees is filled up with mean frames.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from pipeline.tasks.words.shared.classifier import Body, Classifier
from pipeline.tasks.words.shared.hearing import NetworkSettings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIRST, SECOND = 3, 5  # steps that a unit of each layer sees
_SEEN = FIRST + SECOND - 1
_SQUASH: dict[str, Callable[[Tensor], Tensor]] = {"sigmoid": torch.sigmoid, "tanh": torch.tanh}


class Settings(NetworkSettings):
    """Here `dropout` is of the hidden units' activations."""

    hidden: int = Field(ge=1, description="units over three frames")
    squash: Literal["sigmoid", "tanh"]
    evidence: Literal["activations", "squares"]


class TimeDelayBody(Body):
    """Two layers of shared weights over time, and the sum over time."""

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.squash = _SQUASH[settings.squash]
        self.squares = settings.evidence == "squares"
        labels = len(spec["labels"])
        self.first = nn.Conv1d(spec["dimension"], settings.hidden, FIRST)
        self.second = nn.Conv1d(settings.hidden, labels, SECOND)
        self.weight = nn.Parameter(torch.ones(labels))
        self.bias = nn.Parameter(torch.zeros(labels))
        self.dropout = nn.Dropout(settings.dropout)

    def evidence(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """What each class's unit finds at each place, [B, max(T, 7) - 6, labels].

        Place t is that of frames t to t + 6; what reaches behind a word's end is 0.
        """
        inside = torch.arange(frames.shape[1], device=frames.device) < lengths[:, None]
        inputs = self.hearing(frames, lengths) * inside[:, :, None]
        inputs = functional.pad(inputs, (0, 0, 0, max(0, _SEEN - inputs.shape[1])))
        hidden = self.dropout(self.squash(self.first(inputs.transpose(1, 2))))
        found = self.squash(self.second(hidden)).transpose(1, 2)
        places = torch.arange(found.shape[1], device=frames.device)
        whole = places < (lengths - _SEEN + 1).clamp(min=1)[:, None]
        return (found.square() if self.squares else found) * whole[:, :, None]

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        summed = self.evidence(frames, lengths).sum(dim=1)
        return (self.weight * summed + self.bias).float().log_softmax(dim=-1)


class TimeDelayNetwork(Classifier[TimeDelayBody]):
    settings: Settings

    def body(self) -> TimeDelayBody:
        return TimeDelayBody(self.settings, self.spec)

    def evidence_along(self, frames: NDArray[np.float32], speaker: str) -> NDArray:
        """What each class's unit finds at each place, [max(T, 7) - 6, labels], of `frames` [T, D].
        """
        return self.asked(TimeDelayBody.evidence, frames, speaker)

    def pictures(self, test: Path, place: int) -> Iterator[tuple[str, "Figure"]]:
        """The evidence for each class at each place of a test item."""
        from pipeline.tasks.words.shared.along_picture import along_picture

        yield "along", along_picture(
            self.evidence_along, "evidence", _SEEN,
            "What the unit of each class finds at each place", self.spec, test, place)
