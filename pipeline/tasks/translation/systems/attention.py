"""Encoder-decoder network with attention over the source (Bahdanau et al. 2015; Luong et al. 2015).

The decoder looks at all states of the encoder whenever it chooses a word, so the length of the
sentence no longer limits what can be remembered of it.
"""

from dataclasses import replace
from typing import Any

from torch import Tensor

from pipeline.nn.attention import AttentionKind, attention
from pipeline.tasks.translation.shared.encoder import Memory
from pipeline.tasks.translation.shared.translator import Translator, TranslatorSettings


class Settings(TranslatorSettings):
    attention: AttentionKind


class AttentionTranslator(Translator):
    """The context is the average of the encoder's states, weighted by their scores."""

    Settings = Settings
    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        plain = settings.attention == "dot"
        self.attention = attention(settings.attention, query=settings.hidden,
                                   memory=settings.hidden if plain else self.context_width,
                                   hidden=settings.hidden)

    @property
    def context_width(self) -> int:
        return 2 * self.settings.hidden + self.settings.embedding

    def remember(self, memory: Memory) -> Memory:
        return replace(memory, keys=self.attention.keys(self._compared(memory.states)))

    def _compared(self, states: Tensor) -> Tensor:
        """What of the states a query is compared with: all, or the sum of both directions.

        A dot product wants vectors of the query's width, so it gets those.
        """
        if self.settings.attention != "dot":
            return states
        ahead, behind = states[..., : 2 * self.settings.hidden].chunk(2, dim=-1)
        return ahead + behind

    def contexts(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        return self.attention(queries, memory.keys, memory.states, memory.mask)
