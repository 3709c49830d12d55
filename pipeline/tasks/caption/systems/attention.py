"""Recurrent decoder that looks at places of the picture (Xu et al. 2015, "Show, Attend and Tell").

A state asks the places of the encoder's map (soft attention) and gets z_t, an average of places;
the next word is chosen from the state and z_t, and the first state is made from the mean of all
places. In the paper the state before a word asks, and z_t is read beside the word, so each step
waits for the one before. The state after a word can ask as well (Lu et al. 2017, "Knowing When to
Look", spatial attention): it knows the word, z_t tells what was still missing, and the layer runs
over the whole sentence at once, several times faster. Unlike in the papers z_t is not gated, and
the output has one layer.
"""

from typing import Any

import torch
from pydantic import Field
from torch import Tensor

from pipeline.nn.attention import AttentionKind, attention
from pipeline.nn.cells import State
from pipeline.nn.seq2seq import Asks, AttentionContexts, Memory, RecurrentDecoder
from pipeline.tasks.caption.shared.captioner import Captioner, CaptionerSettings


class Settings(CaptionerSettings):
    attention: AttentionKind
    attention_hidden: int = Field(ge=1, description="width of the additive score's layer")
    asks: Asks = Field(
        description="which state asks: that before a word is read, or that after it")


class AttentionCaptioner(Captioner):
    """The decoder sees the picture only through attention and its first state."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        width = settings.channels[-1]
        super().__init__(settings, spec, read=settings.hidden + width)
        asked = attention(settings.attention, query=settings.hidden, memory=width,
                          hidden=settings.attention_hidden)
        self.decoder = RecurrentDecoder(settings.cell, settings.embedding, settings.hidden, width,
                                        AttentionContexts(asked), width, settings.asks)

    def remember(self, places: Tensor) -> Memory:
        everywhere = places.new_ones(places.shape[:2], dtype=torch.bool)
        contexts = self.decoder.contexts
        assert isinstance(contexts, AttentionContexts)
        return Memory(places, everywhere, places.mean(dim=1), contexts.attention.keys(places))

    def start(self, memory: Memory) -> State:
        return self.decoder.start(memory)

    def states(self, embedded: Tensor, memory: Memory,
               state: State) -> tuple[Tensor, State, Tensor | None]:
        return self.decoder(embedded, memory, state)
