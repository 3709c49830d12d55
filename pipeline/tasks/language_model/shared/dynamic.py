"""Dynamic evaluation: a model goes on learning from the text that it is tested on.

The text is read in segments. Each is scored first, and then the weights take one gradient step on
it, so that nothing is predicted from what has not been read; a pull towards the trained weights
lets what was learnt fade (Mikolov et al. 2010; Krause et al. 2018, "Dynamic evaluation of neural
sequence models", with plain gradients).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from pipeline.entries import VariantSettings


class Dynamic(VariantSettings):
    """The trained model that takes a gradient step after each segment of the text."""

    reading: Literal["dynamic"]
    segment: int = Field(ge=1, description="units between two steps")
    learning_rate: float = Field(gt=0, description="of the mean loss of a segment")
    decay: float = Field(ge=0, lt=1, description="share of the way back to the trained weights")


def dynamic_losses(model: nn.Module, inputs: Tensor, targets: Tensor, start: Any,
                   read: Callable[[Tensor, Tensor, Any], tuple[Tensor, Any]],
                   settings: Dynamic) -> Tensor:
    """Nats [steps] of `targets` [steps], of which `inputs` [steps] come before each.

    `read` maps the inputs and targets of a segment and the state before it to its nats and the
    state after it, whose history it has cut off. The model has its trained weights again in the
    end.
    """
    losses = []
    state = start
    with _restored(model) as trained, torch.enable_grad():
        for place in range(0, len(targets), settings.segment):
            part = slice(place, place + settings.segment)
            found, state = read(inputs[part], targets[part], state)
            losses.append(found.detach())
            gradients = torch.autograd.grad(found.mean(), list(trained))
            with torch.no_grad():
                for (parameter, before), gradient in zip(trained.items(), gradients, strict=True):
                    parameter.sub_(gradient, alpha=settings.learning_rate)
                    if settings.decay:
                        parameter.lerp_(before, settings.decay)
    return torch.cat(losses)


@contextmanager
def _restored(model: nn.Module) -> Iterator[dict[nn.Parameter, Tensor]]:
    """Each parameter with its trained values, which it gets back at the end of the block."""
    trained = {parameter: parameter.detach().clone() for parameter in model.parameters()}
    try:
        yield trained
    finally:
        with torch.no_grad():
            for parameter, before in trained.items():
                parameter.copy_(before)
