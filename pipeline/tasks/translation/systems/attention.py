"""Encoder-decoder network with attention over the source (Bahdanau et al. 2015; Luong et al. 2015).

The decoder looks at all states of the encoder whenever it chooses a word, so the length of the
sentence no longer limits what can be remembered of it.
"""

from dataclasses import replace
from typing import Any

from torch import Tensor

from pipeline.nn.attention import AttentionKind, attention
from pipeline.nn.seq2seq import AttentionContexts, Memory
from pipeline.tasks.translation.shared.translator import Translator, TranslatorSettings


class Settings(TranslatorSettings):
    attention: AttentionKind


class AttentionTranslator(Translator):
    """The context is the average of the encoder's states, weighted by their scores."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        width = 2 * settings.hidden + settings.embedding
        compared = settings.hidden if settings.attention == "dot" else width
        asked = attention(settings.attention, query=settings.hidden, memory=compared,
                          hidden=settings.hidden)
        super().__init__(settings, spec, AttentionContexts(asked), width)

    def remember(self, memory: Memory) -> Memory:
        contexts = self.decoder.contexts
        assert isinstance(contexts, AttentionContexts)
        keys = contexts.attention.keys(self._compared(memory.states))
        return replace(memory, keys=keys)

    def _compared(self, states: Tensor) -> Tensor:
        """What of the states a query is compared with: all, or the sum of both directions.

        A dot product wants vectors of the query's width, so it gets those.
        """
        if self.settings.attention != "dot":
            return states
        ahead, behind = states[..., : 2 * self.settings.hidden].chunk(2, dim=-1)
        return ahead + behind
