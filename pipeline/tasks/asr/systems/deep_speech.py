"""Deep Speech: five layers of clipped units, of which the fourth alone is recurrent, with CTC.

Hannun et al. 2014 ("Deep Speech: Scaling up end-to-end speech recognition"). Where others stack
gated layers, this network is kept simple so that it can be wide: x_t, a frame with its neighbours
on each side, passes three layers by itself, h = g(W h + b) with g(a) = min(max(0, a), 20); the
fourth reads forward and backward, and adds the two; the fifth and the softmax are again of each
step by itself. A step is taken at every `stack`-th frame only, which halves the time or better.
"""

from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from pipeline.nn.clipped import ClippedBidirectional, clipped_relu
from pipeline.nn.containers import module_list
from pipeline.nn.dropout import FreshDropout
from pipeline.tasks.asr.shared.letters import LetterRecogniser, LetterSettings

BELOW = 3  # layers under the recurrent one


class Settings(LetterSettings):
    """Here `stack` is how many frames on the next step is; `dropout` is never within time."""

    context: int = Field(ge=0, le=50, description="frames on each side that a step hears")
    hidden: int = Field(ge=1, description="units of each of the five layers")


class DeepSpeech(LetterRecogniser):
    """Dense layers begin with He et al.'s weights, with which rectified units neither fade nor
    grow from layer to layer.
    """

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        hidden = settings.hidden
        first = (2 * settings.context + 1) * spec["dimension"]
        self.below = module_list(_dense(features, hidden)
                                 for features in (first, *[hidden] * (BELOW - 1)))
        self.recurrent = ClippedBidirectional(hidden, hidden)
        self.above = _dense(hidden, hidden)
        self.output = nn.Linear(hidden, 1 + len(spec["symbols"]))
        self.dropout = FreshDropout(settings.dropout)

    def logits(self, frames: Tensor, lengths: Tensor) -> Tensor:
        stack = self.settings.stack
        found = windows(frames, lengths, self.settings.context, stack)
        for layer in self.below:
            found = self.dropout(clipped_relu(layer(found)))
        found = self.recurrent(found.transpose(0, 1), lengths // stack).transpose(0, 1)
        return self.output(self.dropout(clipped_relu(self.above(found))))


def windows(frames: Tensor, lengths: Tensor, context: int, stride: int) -> Tensor:
    """Frames with their neighbours, [B, T / stride, (2 context + 1) D], of `frames` [B, T, D].

    Each `stride` frames give one step, whose window is around the middle one (of an even number
    the earlier). What lies before the first frame and behind the last (`lengths` [B]) is 0, the
    mean of what a network hears.
    """
    steps = frames.shape[1] // stride
    inside = torch.arange(frames.shape[1], device=frames.device) < lengths[:, None]
    known = functional.pad(frames * inside[:, :, None], (0, 0, context, context))
    found = known[:, (stride - 1) // 2 :].unfold(1, 2 * context + 1, stride)[:, :steps]
    return found.transpose(2, 3).flatten(2)


def _dense(features: int, hidden: int) -> nn.Linear:
    layer = nn.Linear(features, hidden)
    nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return layer
