"""LSTM language model with tied embeddings and variational dropout.

Zaremba et al. 2014 for the network, Press and Wolf 2017 for the output layer that is the
embedding, Gal and Ghahramani 2016 for masks that stay over time and for dropped words, Merity et
al. 2018 for dropped recurrent weights. The state is carried from window to window, and gradients
end at the window's beginning (truncated back-propagation through time).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from pipeline.config import SystemSettings, TrainingSettings, VariantSettings
from pipeline.nn.dropout import LockedDropout, embedding_with_dropout
from pipeline.nn.rnn import (
    LSTMState,
    StackedLSTM,
    detached,
    forget_bias_one,
    state_from_tensors,
    state_tensors,
)
from pipeline.nn.softmax import linear_cross_entropy
from pipeline.predictions import Prediction
from pipeline.system import Batch, NeuralSystem
from pipeline.tasks.language_model.shared.answers import by_sentence
from pipeline.tasks.language_model.shared.stream import END, Stream
from pipeline.tasks.language_model.shared.windows import Windows

_STEPS_AT_ONCE = 256


class Settings(SystemSettings):
    """An LSTM entry of `systems`."""

    embedding: int = Field(ge=1, description="width of the embedding and of the last layer")
    hidden: int = Field(ge=1, description="width of the layers below the last")
    layers: int = Field(ge=1, le=8)
    dropout_words: float = Field(ge=0, lt=1, description="share of word types dropped")
    dropout_input: float = Field(ge=0, lt=1, description="of the embedded words")
    dropout_hidden: float = Field(ge=0, lt=1, description="between layers")
    dropout_output: float = Field(ge=0, lt=1, description="of the last layer's outputs")
    dropout_weights: float = Field(ge=0, lt=1, description="of the recurrent weights")
    window: int = Field(ge=1, description="steps of truncated back-propagation")
    batch_streams: int = Field(ge=1, description="streams that the training text is cut into")
    training: TrainingSettings


class LSTMLanguageModel(NeuralSystem):
    """p(next word | all words before it in the text)."""

    Settings = Settings
    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.end = spec["words"].index(END)
        self.embedding = nn.Parameter(torch.empty(len(spec["words"]), settings.embedding))
        nn.init.uniform_(self.embedding, -0.1, 0.1)
        self.output_bias = nn.Parameter(torch.zeros(len(spec["words"])))
        widths = [settings.hidden] * (settings.layers - 1) + [settings.embedding]
        self.lstm = StackedLSTM(settings.embedding, widths, settings.dropout_hidden,
                                settings.dropout_weights)
        forget_bias_one(self.lstm)
        self.input_dropout = LockedDropout(settings.dropout_input)
        self.output_dropout = LockedDropout(settings.dropout_output)
        self.state: LSTMState | None = None

    def forward(self, inputs: Tensor, state: LSTMState) -> tuple[Tensor, LSTMState]:
        """Outputs [steps, streams, embedding] after `inputs` [steps, streams], and the state."""
        embedded = embedding_with_dropout(
            inputs, self.embedding, self.settings.dropout_words if self.training else 0.0)
        hidden, after = self.lstm(self.input_dropout(embedded), state)
        return self.output_dropout(hidden), after

    def batches(self, data: Path, split: str, seed: int) -> Windows:
        return Windows(Stream.read(data, split).tokens, self.settings.batch_streams,
                       self.settings.window, seed, rotate=split == "train")

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Negative log-likelihood in nats of the targets; the terms are tokens."""
        before = (self.state if self.state is not None
                  else self.lstm.start(batch["inputs"].shape[1]))
        hidden, after = self(batch["inputs"], before)
        self.state = detached(after)
        total = linear_cross_entropy(hidden.flatten(0, 1), self.embedding, self.output_bias,
                                     batch["targets"].flatten())
        return total, float(batch["targets"].numel())

    def begin_epoch(self, training: bool) -> None:
        self.state = None

    def carried(self) -> dict[str, Tensor]:
        return {} if self.state is None else state_tensors(self.state)

    def take_carried(self, tensors: dict[str, Tensor]) -> None:
        self.state = state_from_tensors(tensors) if tensors else None

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        return by_sentence(self.token_losses(Stream.read(data, "test").tokens), data)

    @torch.no_grad()
    def token_losses(self, tokens: NDArray[np.integer],
                     steps: int = _STEPS_AT_ONCE) -> NDArray[np.float64]:
        """Nats of each of `tokens`, read as one text that follows an end of sentence.

        `steps` words are read at once, which changes memory and speed and no value: the state is
        carried through the whole text, in one stream.
        """
        self.eval()
        device = self.embedding.device
        targets = torch.from_numpy(np.array(tokens, dtype=np.int64)).to(device)
        inputs = torch.cat([targets.new_tensor([self.end]), targets[:-1]])
        state = self.lstm.start(1)
        losses = []
        for start in range(0, len(targets), steps):
            part = slice(start, start + steps)
            hidden, state = self(inputs[part, None], state)
            scores = functional.linear(hidden[:, 0], self.embedding, self.output_bias)
            losses.append(functional.cross_entropy(scores, targets[part], reduction="none"))
        return torch.cat(losses).double().cpu().numpy()
