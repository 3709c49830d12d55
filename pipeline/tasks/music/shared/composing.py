"""Pieces from a model: draw the keys of a step from what it expects, let it read them, go on.

The temperature divides the log-odds of each key: below 1 the model dares less, at 0 each key does
what is likelier. Each piece has draws of its own, by the seed and its number alone, so the first is
the same however many follow it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from pipeline.errors import UserError
from pipeline.systems.base import seeded
from pipeline.tasks.music.shared.rolls import Roll, roll_of


@dataclass(frozen=True)
class Composing:
    """What is to be composed: `count` pieces of `length` steps, which are quarter notes.

    `opening` are the MIDI pitches of the first step, or None for a chord that training pieces open
    with.
    """

    count: int = 1
    length: int = 64
    temperature: float = 1.0
    seed: int = 1
    opening: Sequence[int] | None = None


class Composer(Protocol):
    """A model of rolls as `compose` needs it; see `shared.roll_model`."""

    spec: dict[str, Any]

    @property
    def device(self) -> torch.device: ...

    def begin(self, count: int) -> Any: ...

    def read(self, step: Tensor, state: Any) -> tuple[Tensor, Any]: ...

    def draw(self, expected: Tensor, temperature: float, generator: torch.Generator) -> Tensor: ...


@torch.no_grad()
def compose(model: Composer, wanted: Composing) -> list[Roll]:
    """Rolls of the pieces.

    Raises UserError for numbers that make no sense and for pitches that no key has.
    """
    if wanted.count < 1 or wanted.length < 1:
        raise UserError("expected at least one piece of one step, got "
                        f"{wanted.count} of {wanted.length}")
    if not 0 <= wanted.temperature < math.inf:
        raise UserError(f"a temperature is 0 or more, got {wanted.temperature}")
    random = Random(wanted.seed)
    chords = [random.choice(model.spec["openings"] or [[]]) if wanted.opening is None
              else wanted.opening for _ in range(wanted.count)]
    steps = torch.from_numpy(roll_of(chords)).float().to(model.device)
    return [_continued(model, first[None], wanted, seeded(wanted.seed, number))
            for number, first in enumerate(steps)]


def _continued(model: Composer, step: Tensor, wanted: Composing,
               generator: torch.Generator) -> Roll:
    """The piece that begins with `step` [1, KEYS]."""
    played, state = [step], model.begin(1)
    for _ in range(wanted.length - 1):
        expected, state = model.read(step, state)
        step = model.draw(expected, wanted.temperature, generator)
        played.append(step)
    return torch.cat(played).cpu().numpy().astype(np.uint8)


def sounding(log_odds: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """1 where a key sounds, drawn for each of `log_odds` [...] by itself.

    The draw is the processor's, so that a seed gives the same piece on every device.
    """
    if temperature == 0:
        return (log_odds > 0).float()
    shares = torch.sigmoid(log_odds / temperature)
    return torch.bernoulli(shares.cpu(), generator=generator).to(shares.device)
