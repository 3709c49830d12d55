"""Recurrent language model whose output layer does not score every word at every step of training.

The network is that of `recurrent`; only the layer above it differs (`pipeline.nn.output_layers`).
With a *sampled* softmax (Bengio and Senécal 2008; Jean et al. 2015) training minimises an estimate,
from noise words that a batch shares, and everything else is the full softmax: validation, scores
and text are computed with the sum over all words. With an *adaptive* softmax (Grave et al. 2017)
training and scores have the same exact probabilities, of words in groups by frequency; scoring
opens all groups for every word, so that no answer depends on which words follow.

The vocabulary of a language-model track is sorted by falling frequency, as both need it.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from torch import Tensor
from torch.nn import functional

from pipeline.entries import Entry
from pipeline.errors import UserError
from pipeline.nn.output_layers import (
    AdaptiveSoftmax,
    sampled_cross_entropy,
    zipf_log_probabilities,
    zipf_noise,
)
from pipeline.nn.rnn import StackState, detached
from pipeline.nn.softmax import linear_cross_entropy
from pipeline.systems.base import Batch
from pipeline.tasks.language_model.systems import recurrent


class Sampled(Entry):
    """The sum over the vocabulary is estimated in training."""

    kind: Literal["sampled"]
    noise: int = Field(ge=1, description="noise words that a training batch shares, drawn with "
                                         "replacement by falling frequency")


class Adaptive(Entry):
    """Frequent words are scored at once, rare ones in groups."""

    kind: Literal["adaptive"]
    cutoffs: list[Annotated[int, Field(ge=1)]] = Field(
        min_length=1, description="first word of each group behind the frequent ones, by rank; "
                                  "those that the vocabulary does not reach are left out")
    shrink: float = Field(ge=1, description="how much narrower each group is than the one before")


class Settings(recurrent.Settings):
    """A recurrent entry of `systems` with an output layer for large vocabularies."""

    output_layer: Annotated[Sampled | Adaptive, Field(discriminator="kind")]

    @model_validator(mode="after")
    def _layer_fits(self) -> Self:
        if isinstance(self.output_layer, Adaptive):
            cutoffs = self.output_layer.cutoffs
            if self.tied:
                raise ValueError("an adaptive output layer has weights of its own: tied is false")
            if cutoffs != sorted({*cutoffs}):
                raise ValueError(f"cutoffs rise, got {cutoffs}")
            if self.hidden < self.output_layer.shrink ** len(cutoffs):
                raise ValueError("hidden is too narrow to shrink so often")
        return self


class LargeOutputLanguageModel(recurrent.RecurrentLanguageModel):
    """p(next unit | all units before it in the text), by the output layer of its settings.

    Raises UserError for an adaptive layer none of whose groups the vocabulary reaches.
    """

    settings: Settings
    log_proposal: Tensor

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.adaptive: AdaptiveSoftmax | None = None
        if isinstance(settings.output_layer, Adaptive):
            self.adaptive = AdaptiveSoftmax(self.width, self.types, self._cutoffs(
                settings.output_layer), settings.output_layer.shrink)
            del self.output_weight, self.output_bias
        else:
            self.register_buffer("log_proposal", zipf_log_probabilities(self.types),
                                 persistent=False)

    def _cutoffs(self, layer: Adaptive) -> list[int]:
        reached = [cutoff for cutoff in layer.cutoffs if cutoff < self.types]
        if not reached:
            raise UserError(f"the first group of rare words begins at {layer.cutoffs[0]}, and the "
                            f"vocabulary has {self.types} words; lower output_layer.cutoffs")
        return reached

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Negative log-likelihood in nats of the targets, in training perhaps an estimate of it."""
        before = (self.state if self.state is not None
                  else self.stack.start(batch["inputs"].shape[1]))
        hidden, after = self(batch["inputs"], before)
        self.state = detached(after)
        total = self._total(hidden.flatten(0, 1), batch["targets"].flatten())
        return total, float(batch["targets"].numel())

    def _total(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """Summed nats of `targets` [rows] after `hidden` [rows, width]."""
        if self.adaptive is not None:
            return self.adaptive(hidden, targets)
        if self.training and isinstance(self.settings.output_layer, Sampled):
            noise = zipf_noise(self.types, self.settings.output_layer.noise, hidden.device)
            return sampled_cross_entropy(hidden, self.output, self.output_bias, targets, noise,
                                         self.log_proposal)
        return linear_cross_entropy(hidden, self.output, self.output_bias, targets)

    def advance(self, tokens: Tensor, state: StackState) -> tuple[Tensor, StackState]:
        hidden, after = self(tokens, state)
        return self._scores(hidden[-1]), after

    def _nats(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """Nats [steps] of `targets` after `hidden` [steps, 1, width]."""
        return functional.cross_entropy(self._scores(hidden[:, 0]), targets, reduction="none")

    def _scores(self, hidden: Tensor) -> Tensor:
        """Logs of the probabilities of all units, up to a constant, [rows, types]."""
        if self.adaptive is not None:
            return self.adaptive.log_probabilities(hidden)
        return functional.linear(hidden, self.output, self.output_bias)
