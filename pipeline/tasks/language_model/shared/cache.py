"""A neural continuous cache: what was just said is likely to be said again.

The cache remembers the last hidden states and the word that followed each. A word's cache
probability is the softmax-weighted share of the memories it followed, the weights being how alike
a remembered state and the present one are, and it is mixed with the model's own probability
(Grave, Joulin and Usunier 2017, "Improving neural language models with a continuous cache").
Nothing is trained, and only the text already read is used.
"""

import math
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from pipeline.entries import VariantSettings


class Cache(VariantSettings):
    """The trained model mixed with a cache of the text that it has read."""

    reading: Literal["cache"]
    size: int = Field(ge=1, description="units that the cache remembers")
    flatness: float = Field(ge=0, description="theta: factor of the product of two states")
    weight: float = Field(gt=0, lt=1, description="lambda: share of the cache in the mixture")


class NeuralCache:
    """The memories so far; a call scores the next part of the text and remembers it."""

    def __init__(self, settings: Cache) -> None:
        self.settings = settings
        self.memories: tuple[Tensor, Tensor] | None = None

    def __call__(self, hidden: Tensor, targets: Tensor, losses: Tensor) -> Tensor:
        """Nats [steps] of `targets` [steps] by the mixture.

        `hidden` [steps, width] are the states that predict them and `losses` [steps] the model's
        own nats. A step sees the `size` memories before it, however the text is cut into calls.
        """
        before, said = self.memories or (hidden[:0], targets[:0])
        states, units = torch.cat([before, hidden]), torch.cat([said, targets])
        places = torch.arange(len(states), device=states.device)
        behind = places[len(before) :, None] - places
        seen = (behind > 0) & (behind <= self.settings.size)
        scores = (self.settings.flatness * hidden @ states.T).masked_fill(~seen, -torch.inf)
        same = units == targets[:, None]
        of_target = scores.masked_fill(~same, -torch.inf).logsumexp(1)
        cached = of_target - scores.logsumexp(1)
        self.memories = states[-self.settings.size :], units[-self.settings.size :]
        mixed = torch.logaddexp(math.log1p(-self.settings.weight) - losses,
                                math.log(self.settings.weight) + cached)
        return torch.where(seen.any(1), -mixed, losses)
