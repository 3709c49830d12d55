"""Recurrent classifier with a loss on every step, weighted: sum_t w_t loss_t.

Every state is asked for the answer, so gradients have short ways to every word; the weights w_t
grow with t, because a state that has read little cannot know. The answer is still that of the
last state.
"""

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from pipeline.systems.base import Batch
from pipeline.tasks.sentence.shared.classifier import ClassifierSettings, StepReader


class Settings(ClassifierSettings):
    weight_growth: float = Field(
        ge=0, description="step t of T weighs (t / T) to this power: 0 equal, 1 linear growth")


class AllSteps(StepReader):
    """Its training loss is the weighted sum over steps, its validation loss that of the last."""

    settings: Settings

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Nats a sentence: in training the weighted mean over its steps, otherwise the last's."""
        if not self.training:
            return super().loss(batch)
        found = self.read(self.states(batch["tokens"]))
        labels = batch["labels"][:, None].expand(found.shape[:2])
        losses = functional.nll_loss(found.transpose(1, 2), labels, reduction="none")
        weights = step_weights(batch["lengths"], found.shape[1], self.settings.weight_growth)
        return (weights * losses).sum(), float(len(losses))


def step_weights(lengths: Tensor, steps: int, growth: float) -> Tensor:
    """w_t of sentences with `lengths` [B], shape [B, steps]: they sum to 1, padding weighs 0."""
    positions = torch.arange(1, steps + 1, device=lengths.device)
    inside = positions <= lengths[:, None]
    weights = torch.where(inside, (positions / lengths[:, None]) ** growth, 0.0)
    return weights / weights.sum(dim=1, keepdim=True)
