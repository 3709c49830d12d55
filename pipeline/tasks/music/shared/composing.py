"""Pieces from a model: draw the keys of a step from what it expects, let it read them, go on.

The temperature divides the log-odds of each key: below 1 the model dares less, at 0 each key does
what is likelier. All pieces are composed side by side, and the same seed gives the same pieces.
"""

import math
from collections.abc import Sequence
from random import Random
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from pipeline.errors import UserError
from pipeline.systems.base import seeded
from pipeline.tasks.music.shared.rolls import Roll, roll_of


class Composer(Protocol):
    """A model of rolls as `compose` needs it; see `shared.roll_model`."""

    spec: dict[str, Any]

    def begin(self, count: int) -> Any: ...

    def read(self, step: Tensor, state: Any) -> tuple[Tensor, Any]: ...

    def draw(self, expected: Tensor, temperature: float, generator: torch.Generator) -> Tensor: ...


@torch.no_grad()
def compose(model: Composer, count: int, steps: int, temperature: float, seed: int,
            opening: Sequence[int] | None = None) -> list[Roll]:
    """`count` rolls of `steps` steps.

    They begin with the MIDI pitches `opening`, or else with chords that training pieces open with.
    Raises UserError for numbers that make no sense and for pitches that no key has.
    """
    if count < 1 or steps < 1:
        raise UserError(f"expected at least one piece of one step, got {count} of {steps}")
    if not 0 <= temperature < math.inf:
        raise UserError(f"a temperature is 0 or more, got {temperature}")
    random = Random(seed)
    chords = [random.choice(model.spec["openings"] or [[]]) if opening is None else opening
              for _ in range(count)]
    step = torch.from_numpy(roll_of(chords)).float()
    generator = seeded(seed)
    played, state = [step], model.begin(count)
    for _ in range(steps - 1):
        expected, state = model.read(step, state)
        step = model.draw(expected, temperature, generator)
        played.append(step)
    return list(torch.stack(played, dim=1).numpy().astype(np.uint8))


def sounding(log_odds: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """1 where a key sounds, drawn for each of `log_odds` [...] by itself."""
    if temperature == 0:
        return (log_odds > 0).float()
    return torch.bernoulli(torch.sigmoid(log_odds / temperature), generator=generator)
