"""Recurrent decoder that looks at places of the picture (Xu et al. 2015, "Show, Attend and Tell").

A state asks the places of the encoder's map (soft attention) and gets z_t, an average of places;
the next word is chosen from the state and z_t, and the first state is made from the mean of all
places. In the paper the state before a word asks, and z_t is read beside the word, so each step
waits for the one before. The state after a word can ask as well (Lu et al. 2017, "Knowing When to
Look", spatial attention): it knows the word, z_t tells what was still missing, and the layer runs
over the whole sentence at once, several times faster. Unlike in the papers z_t is not gated, and
the output has one layer.
"""

from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from pipeline.nn.attention import AttentionKind, attention
from pipeline.nn.cells import State
from pipeline.tasks.caption.shared.captioner import Captioner, CaptionerSettings, Memory


class Settings(CaptionerSettings):
    attention: AttentionKind
    attention_hidden: int = Field(ge=1, description="width of the additive score's layer")
    asks: Literal["before", "after"] = Field(
        description="which state asks: that before a word is read, or that after it")


class AttentionCaptioner(Captioner):
    """The decoder sees the picture only through attention and its first state."""

    Settings = Settings
    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        width = settings.channels[-1]
        super().__init__(settings, spec, seen=width if settings.asks == "before" else 0,
                         read=settings.hidden + width)
        self.attention = attention(settings.attention, query=settings.hidden, memory=width,
                                   hidden=settings.attention_hidden)
        self.first = nn.Linear(width, self.recurrence.states * settings.hidden)

    def remember(self, places: Tensor) -> Memory:
        return Memory(places.mean(dim=1), places, self.attention.keys(places))

    def start(self, memory: Memory) -> State:
        return torch.tanh(self.first(memory.summary)).chunk(self.recurrence.states, dim=-1)

    def states(self, embedded: Tensor, memory: Memory,
               state: State) -> tuple[Tensor, State, Tensor]:
        if self.settings.asks == "before":
            return self._step_by_step(embedded, memory, state)
        outputs, state = self.run(embedded, state)
        seen, weights = self._look(outputs, memory)
        return torch.cat([outputs, seen], dim=-1), state, weights

    def _step_by_step(self, embedded: Tensor, memory: Memory,
                      state: State) -> tuple[Tensor, State, Tensor]:
        read, weights = [], []
        for word in embedded.split(1, dim=1):
            seen, looked = self._look(state[0][:, None], memory)
            output, state = self.run(torch.cat([word, seen], dim=-1), state)
            read.append(torch.cat([output, seen], dim=-1))
            weights.append(looked)
        return torch.cat(read, dim=1), state, torch.cat(weights, dim=1)

    def _look(self, states: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Averages [N, T, channels] and weights [N, T, places] that `states` [N, T, hidden] get."""
        everywhere = memory.places.new_ones(memory.places.shape[:2], dtype=torch.bool)
        return self.attention(states, memory.keys, memory.places, everywhere)
