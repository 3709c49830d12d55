"""What every neural language model can do: score a text, and write one."""

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pipeline.entries import VariantSettings
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import NeuralSystem
from pipeline.tasks.language_model.shared.answers import by_item
from pipeline.tasks.language_model.shared.generation import Writing, generate, ids_of, text_of
from pipeline.tasks.language_model.shared.stream import END, Stream


class LanguageModel(NeuralSystem):
    """p(next unit | units before it); `end` is the id of the sentence's or line's end."""

    Options: ClassVar = Writing
    running_text: ClassVar[bool] = True

    def __init__(self, settings: Any, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.types = len(spec["vocabulary"])
        self.end = spec["vocabulary"].index(END[spec["unit"]])

    @abstractmethod
    def token_losses(self, tokens: NDArray[np.integer],
                     variant: VariantSettings | None = None) -> NDArray[np.float64]:
        """Nats of each of `tokens`, read as one text that follows an end."""

    @abstractmethod
    def begin(self, count: int) -> Any:
        """State of `count` texts before anything was read."""

    @abstractmethod
    def advance(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Scores [count, types] of what follows `tokens` [steps, count], and the new state."""

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        with self.answering():
            losses = self.token_losses(Stream.read(data, "test").tokens, variant)
        return by_item(losses, data)

    def validation_loss(self, data: Path, variant: VariantSettings | None,
                        items: int | None = None) -> float:
        """Nats a unit of the validation text in the features' `fit` folder, or its beginning."""
        tokens = Stream.read(data, "valid").tokens[:items]
        return float(self.token_losses(tokens, variant).mean())

    def write(self, wanted: Writing) -> list[str]:
        """Texts that go on from the prompt; see `shared.generation`.

        Raises UserError for a prompt with a unit outside the vocabulary, and for numbers that
        make no sense.
        """
        begun = ids_of(wanted.prompt, self.spec)
        with self.answering():
            drawn = generate(self, begun, wanted.count, wanted.length, wanted.sampling)
        return [text_of([*begun, *ids], self.spec) for ids in drawn]

    def create(self, options: Writing, trained: Any) -> Iterator[str]:
        """What `write` gives, as `unrolled create` asks for it."""
        yield from self.write(options)
