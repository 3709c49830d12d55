"""Recurrent decoder that knows the picture as one vector v: at the start only, or at each step.

At the start, the first state is made from v and the words alone follow (Vinyals et al. 2015, "Show
and Tell", whose network reads v as if it were the first word). At each step, the network begins
with nothing and reads v beside each word, which with an Elman cell is the lecture's
h_t = tanh(W_xh x_t + W_hh h_{t-1} + W_ih v), and cannot forget it.
"""

from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from pipeline.nn.cells import State, layer
from pipeline.nn.seq2seq import FirstState, Memory, SummaryContexts, run
from pipeline.tasks.caption.shared.captioner import Captioner, CaptionerSettings
from pipeline.tasks.caption.shared.encoder import map_side


class Settings(CaptionerSettings):
    sees: Literal["start", "each-step"] = Field(description="when the decoder sees the picture")
    summary: int = Field(ge=1, description="dimensions of v")


class RecurrentCaptioner(Captioner):
    """v is a linear map of the encoder's whole map, normalised and rectified.

    Most of a picture is like most of any other, so without normalisation v hardly differs between
    pictures at first, and a decoder soon learns to do without it.
    """

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        at_start = settings.sees == "start"
        super().__init__(settings, spec, read=settings.hidden)
        seen = 0 if at_start else settings.summary
        self.layer = layer(settings.cell, settings.embedding + seen, settings.hidden)
        places = map_side(spec["side"], settings.halvings) ** 2
        self.summary = nn.Sequential(
            nn.Linear(places * settings.channels[-1], settings.summary, bias=False),
            nn.BatchNorm1d(settings.summary), nn.ReLU())
        self.first = FirstState(settings.summary, settings.hidden, self.layer.states) \
            if at_start else None
        self.contexts = SummaryContexts()

    def remember(self, places: Tensor) -> Memory:
        everywhere = places.new_ones(places.shape[:2], dtype=torch.bool)
        return Memory(places, everywhere, self.summary(places.flatten(1)))

    def start(self, memory: Memory) -> State:
        if self.first is None:
            return tuple(tensor[0] for tensor in self.layer.start(len(memory)))
        return self.first(memory)

    def states(self, embedded: Tensor, memory: Memory,
               state: State) -> tuple[Tensor, State, None]:
        if self.first is None:
            seen, _, _ = self.contexts(embedded, memory, ())
            embedded = torch.cat([embedded, seen], dim=-1)
        return *run(self.layer, embedded, state), None
