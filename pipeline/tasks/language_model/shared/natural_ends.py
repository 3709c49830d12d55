"""Texts that end where the model ends them: it draws until it has drawn an end.

`pipeline.tasks.language_model.shared.generation` writes on and on, one line after another. Where an
item is a whole (a function, a poem), its end is a unit that the model has learnt to expect, and the
text is over when it comes.
"""

from collections.abc import Sequence

import torch

from pipeline.errors import UserError
from pipeline.systems.base import seeded
from pipeline.tasks.language_model.shared.generation import Model, Sampling, choose
from pipeline.tasks.language_model.shared.stream import UNKNOWN


@torch.no_grad()
def generate_to_end(model: Model, prompt: Sequence[int], count: int, length: int,
                    sampling: Sampling) -> list[list[int]]:
    """`count` texts of ids after an end and `prompt`, each with its end, or cut at `length` ids.

    Draws are as `generate` makes them. Raises UserError when there is nothing to draw.
    """
    if count < 1 or length < 1:
        raise UserError(f"expected at least one text of one unit, got {count} of {length}")
    return [_one(model, prompt, length, sampling, seeded(sampling.seed, number))
            for number in range(count)]


def _one(model: Model, prompt: Sequence[int], length: int, sampling: Sampling,
         generator: torch.Generator) -> list[int]:
    unknown = model.spec["vocabulary"].index(UNKNOWN)
    read = torch.tensor([model.end, *prompt], device=model.device)[:, None]
    state = model.begin(1)
    drawn: list[int] = []
    while len(drawn) < length and drawn[-1:] != [model.end]:
        scores, state = model.advance(read, state)
        scores = scores.float().index_fill(1, read.new_tensor(unknown), -torch.inf)
        read = choose(scores, sampling, generator)[None]
        drawn.append(int(read))
    return drawn
