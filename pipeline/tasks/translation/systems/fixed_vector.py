"""Encoder-decoder network without attention (Cho et al. 2014; Sutskever, Vinyals and Le 2014).

The encoder's last state is all that the decoder learns of the sentence. It gets this one vector at
every step, in all else it is the network with attention: what differs in their scores is the
bottleneck.
"""

from typing import Any, Self

from pydantic import model_validator

from pipeline.nn.seq2seq import SummaryContexts
from pipeline.tasks.translation.shared.translator import Translator, TranslatorSettings


class Settings(TranslatorSettings):
    """No hyper-parameters of its own."""

    @model_validator(mode="after")
    def _nothing_to_copy_by(self) -> Self:
        if any(variant.unknown == "copy" for variant in self.variants.values()):
            raise ValueError("variants: unknown words are copied by attention, which this network "
                             "has not; say 'keep' or 'never'")
        return self


class FixedVectorTranslator(Translator):
    """The context is the summary of the sentence, whatever the query."""

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec, SummaryContexts(), 2 * settings.hidden)
