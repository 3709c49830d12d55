"""Recurrent decoder that looks at places of the picture (Xu et al. 2015, "Show, Attend and Tell").

Before each word the last state asks the places of the encoder's map (soft attention); the answer,
an average z_t of places, is read beside the last word, and the next word is chosen from the new
state and z_t. The first state is made from the mean of all places. Unlike in the paper the answer
is not gated, and the output has one layer.
"""

from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from pipeline.nn.attention import AttentionKind, attention
from pipeline.nn.cells import State
from pipeline.tasks.caption.shared.captioner import Captioner, CaptionerSettings, Memory


class Settings(CaptionerSettings):
    attention: AttentionKind
    attention_hidden: int = Field(ge=1, description="width of the additive score's layer")


class AttentionCaptioner(Captioner):
    """Each step waits for the one before, since a state asks what its successor reads."""

    Settings = Settings
    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        width = settings.channels[-1]
        super().__init__(settings, spec, seen=width, read=settings.hidden + width)
        self.attention = attention(settings.attention, query=settings.hidden, memory=width,
                                   hidden=settings.attention_hidden)
        self.first = nn.Linear(width, self.recurrence.states * settings.hidden)

    def remember(self, places: Tensor) -> Memory:
        return Memory(places.mean(dim=1), places, self.attention.keys(places))

    def start(self, memory: Memory) -> State:
        return torch.tanh(self.first(memory.summary)).chunk(self.recurrence.states, dim=-1)

    def states(self, embedded: Tensor, memory: Memory,
               state: State) -> tuple[Tensor, State, Tensor]:
        everywhere = memory.places.new_ones(memory.places.shape[:2], dtype=torch.bool)
        read, weights = [], []
        for word in embedded.unbind(1):
            seen, looked = self.attention(state[0][:, None], memory.keys, memory.places,
                                          everywhere)
            inputs = torch.cat([word, seen[:, 0]], dim=-1)[None]
            _, after = self.recurrence(inputs, tuple(tensor[None].contiguous()
                                                     for tensor in state))
            state = tuple(tensor[0] for tensor in after)
            read.append(torch.cat([state[0], seen[:, 0]], dim=-1))
            weights.append(looked[:, 0])
        return torch.stack(read, dim=1), state, torch.stack(weights, dim=1)
