"""Recurrent language model of any cell, with variational dropout and carried states.

Elman 1990 and Mikolov et al. 2010 for the network, Zaremba et al. 2014 for its LSTM, Press and
Wolf 2017 for the output layer that is the embedding, Gal and Ghahramani 2016 for masks that may
stay over time and for dropped words, Merity et al. 2018 for dropped recurrent weights. The state is
carried from window to window, and gradients end at the window's beginning (truncated
back-propagation through time).

A trained model reads the test text in one of three ways: as it is, with a cache of the words just
read (`shared.cache`), or learning as it goes (`shared.dynamic`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from pipeline.entries import SystemSettings, TrainingSettings, VariantSettings
from pipeline.nn.cells import Cell
from pipeline.nn.dropout import Masks, embedding_with_dropout, sequence_dropout
from pipeline.nn.rnn import Stack, StackState, detached, state_from_tensors, state_tensors
from pipeline.nn.softmax import linear_cross_entropy
from pipeline.systems.base import Batch
from pipeline.tasks.language_model.shared.cache import Cache, NeuralCache
from pipeline.tasks.language_model.shared.dynamic import Dynamic, dynamic_losses
from pipeline.tasks.language_model.shared.model import LanguageModel
from pipeline.tasks.language_model.shared.stream import Stream
from pipeline.tasks.language_model.shared.windows import Windows

_STEPS_AT_ONCE = 256


class Plain(VariantSettings):
    """The trained model as it is."""

    reading: Literal["plain"]


class Settings(SystemSettings):
    """A recurrent entry of `systems`."""

    cell: Cell
    embedding: int = Field(ge=1, description="width of the embedding, and of the last layer where "
                                             "the output layer is the embedding")
    hidden: int = Field(ge=1, description="width of the other layers")
    layers: int = Field(ge=1, le=8)
    tied: bool = Field(description="whether the output layer is the embedding")
    dropout_words: float = Field(ge=0, lt=1, description="share of word types dropped")
    dropout_input: float = Field(ge=0, lt=1, description="of the embedded words")
    dropout_hidden: float = Field(ge=0, lt=1, description="between layers")
    dropout_output: float = Field(ge=0, lt=1, description="of the last layer's outputs")
    dropout_weights: float = Field(ge=0, lt=1, description="of the recurrent weights")
    dropout_masks: Masks = Field("locked", description="one mask for all steps, or a fresh one at "
                                                       "each; of input, hidden and output")
    window: int = Field(ge=1, description="steps of truncated back-propagation")
    batch_streams: int = Field(ge=1, description="streams that the training text is cut into")
    training: TrainingSettings
    variants: dict[str, Annotated[Plain | Cache | Dynamic, Field(discriminator="reading")]] = {}


class RecurrentLanguageModel(LanguageModel):
    """p(next unit | all units before it in the text)."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.embedding = nn.Parameter(torch.empty(self.types, settings.embedding))
        nn.init.uniform_(self.embedding, -0.1, 0.1)
        self.output_bias = nn.Parameter(torch.zeros(self.types))
        self.width = settings.embedding if settings.tied else settings.hidden
        widths = [settings.hidden] * (settings.layers - 1) + [self.width]
        self.stack = Stack(settings.cell, settings.embedding, widths, settings.dropout_hidden,
                           settings.dropout_weights, settings.dropout_masks)
        if not settings.tied:
            self.output_weight = nn.Parameter(torch.empty(self.types, self.width))
            nn.init.uniform_(self.output_weight, -0.1, 0.1)
        self.input_dropout = sequence_dropout(settings.dropout_masks, settings.dropout_input)
        self.output_dropout = sequence_dropout(settings.dropout_masks, settings.dropout_output)
        self.state: StackState | None = None

    @property
    def output(self) -> Tensor:
        """Weights [types, width] of the output layer."""
        return self.embedding if self.settings.tied else self.output_weight

    def forward(self, inputs: Tensor, state: StackState) -> tuple[Tensor, StackState]:
        """Outputs [steps, streams, width] after `inputs` [steps, streams], and the state."""
        embedded = embedding_with_dropout(
            inputs, self.embedding, self.settings.dropout_words if self.training else 0.0)
        hidden, after = self.stack(self.input_dropout(embedded), state)
        return self.output_dropout(hidden), after

    def batches(self, data: Path, split: str, seed: int) -> Windows:
        return Windows(Stream.read(data, split).tokens, self.settings.batch_streams,
                       self.settings.window, seed, rotate=split == "train")

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Negative log-likelihood in nats of the targets; the terms are tokens."""
        before = (self.state if self.state is not None
                  else self.stack.start(batch["inputs"].shape[1]))
        hidden, after = self(batch["inputs"], before)
        self.state = detached(after)
        total = linear_cross_entropy(hidden.flatten(0, 1), self.output, self.output_bias,
                                     batch["targets"].flatten())
        return total, float(batch["targets"].numel())

    def begin_epoch(self, training: bool) -> None:
        self.state = None

    def carried(self) -> dict[str, Tensor]:
        return {} if self.state is None else state_tensors(self.state)

    def take_carried(self, tensors: dict[str, Tensor]) -> None:
        self.state = state_from_tensors(tensors) if tensors else None

    def begin(self, count: int) -> StackState:
        return self.stack.start(count)

    def advance(self, tokens: Tensor, state: StackState) -> tuple[Tensor, StackState]:
        hidden, after = self(tokens, state)
        return functional.linear(hidden[-1], self.output, self.output_bias), after

    def token_losses(self, tokens: NDArray[np.integer], variant: VariantSettings | None = None,
                     steps: int = _STEPS_AT_ONCE) -> NDArray[np.float64]:
        """Nats of each of `tokens`, read as one text that follows an end.

        `steps` units are read at once, which changes memory and speed and no value: the state is
        carried through the whole text, in one stream. Ends fill the last steps, because how long
        a part is decides how it is rounded, and what follows a unit is to change nothing.
        """
        self.eval()
        size = variant.segment if isinstance(variant, Dynamic) else steps
        text = np.full(-(-len(tokens) // size) * size + 1, self.end, np.int64)
        text[1 : len(tokens) + 1] = tokens
        read = torch.from_numpy(text).to(self.embedding.device)
        inputs, targets = read[:-1], read[1:]
        if isinstance(variant, Dynamic):
            losses = dynamic_losses(self, inputs, targets, self.begin(1), self._segment, variant)
        else:
            losses = torch.cat(list(self._losses(inputs, targets, variant, steps)))
        return losses[: len(tokens)].double().cpu().numpy()

    @torch.no_grad()
    def _losses(self, inputs: Tensor, targets: Tensor, variant: VariantSettings | None,
                steps: int) -> Iterator[Tensor]:
        cache = NeuralCache(variant) if isinstance(variant, Cache) else None
        state = self.begin(1)
        for start in range(0, len(targets), steps):
            part = slice(start, start + steps)
            hidden, state = self(inputs[part, None], state)
            losses = self._nats(hidden, targets[part])
            yield losses if cache is None else cache(hidden[:, 0], targets[part], losses)

    def _segment(self, inputs: Tensor, targets: Tensor,
                 state: StackState) -> tuple[Tensor, StackState]:
        hidden, after = self(inputs[:, None], state)
        return self._nats(hidden, targets), detached(after)

    def _nats(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """Nats [steps] of `targets` after `hidden` [steps, 1, width]."""
        scores = functional.linear(hidden[:, 0], self.output, self.output_bias)
        return functional.cross_entropy(scores, targets, reduction="none")
