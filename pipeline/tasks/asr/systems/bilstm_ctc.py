"""Bidirectional LSTM trained with connectionist temporal classification.

Graves, Mohamed and Hinton 2013 ("Speech Recognition with Deep Recurrent Neural Networks"): several
layers, each of which reads the sequence in both directions.
"""

from typing import Any

from pydantic import Field
from torch import Tensor, nn

from pipeline.nn.dropout import FreshDropout
from pipeline.nn.rnn import BidirectionalStack
from pipeline.tasks.asr.shared.letters import LetterRecogniser, LetterSettings, stacked


class Settings(LetterSettings):
    hidden: int = Field(ge=1, description="units of each direction")
    layers: int = Field(ge=1, le=12)


class BilstmCtc(LetterRecogniser):
    """Every layer hears both directions of the one below."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.lstm = BidirectionalStack("lstm-torch", settings.stack * spec["dimension"],
                                       [settings.hidden] * settings.layers, settings.dropout,
                                       masks="fresh")
        self.dropout = FreshDropout(settings.dropout)
        self.output = nn.Linear(2 * settings.hidden, 1 + len(spec["symbols"]))

    def logits(self, frames: Tensor, lengths: Tensor) -> Tensor:
        stack = self.settings.stack
        steps = stacked(frames, stack).transpose(0, 1)
        return self.output(self.dropout(self.lstm(steps, lengths // stack).transpose(0, 1)))
