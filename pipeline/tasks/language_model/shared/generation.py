"""Text from a language model: draw a unit from what it expects next, let it read it, go on.

The temperature divides the scores before the softmax: below 1 the model dares less, at 0 it always
takes the best unit. `top_k` leaves the k best units in the draw. Each text has draws of its own, by
the seed and its number alone, so the first text is the same however many follow it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol

import torch
from torch import Tensor

from pipeline.errors import UserError
from pipeline.storage.words import words_in
from pipeline.systems.base import seeded
from pipeline.tasks.language_model.shared.stream import END, UNKNOWN


@dataclass(frozen=True)
class Sampling:
    """How the next unit is chosen; `top_k` 0 leaves all units in the draw. Raises UserError."""

    temperature: float
    top_k: int
    seed: int

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise UserError(f"a temperature is 0 or more, got {self.temperature}")
        if self.top_k < 0:
            raise UserError(f"top-k is 1 or more, or 0 for all units, got {self.top_k}")


@dataclass(frozen=True)
class Writing:
    """What is to be written: `length` words or characters after `prompt`, `count` times."""

    prompt: str = ""
    count: int = 1
    length: int = 100
    temperature: float = 1.0
    top_k: int = 0
    seed: int = 1

    @property
    def sampling(self) -> Sampling:
        """Raises UserError for numbers that make no sense."""
        return Sampling(self.temperature, self.top_k, self.seed)


class Model(Protocol):
    """A language model as `generate` needs it; see `shared.model`."""

    end: int
    spec: dict[str, Any]

    @property
    def device(self) -> torch.device: ...

    def begin(self, count: int) -> Any: ...

    def advance(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]: ...


@torch.no_grad()
def generate(model: Model, prompt: Sequence[int], count: int, length: int,
             sampling: Sampling) -> list[list[int]]:
    """`count` times `length` ids after an end and `prompt`; <unk>, which is no text, is not drawn.

    Raises UserError when there is nothing to draw.
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
    for _ in range(length):
        scores, state = model.advance(read, state)
        scores = scores.float().index_fill(1, read.new_tensor(unknown), -torch.inf)
        read = choose(scores, sampling, generator)[None]
        drawn.append(int(read))
    return drawn


def choose(scores: Tensor, sampling: Sampling, generator: torch.Generator) -> Tensor:
    """One unit [count] a row of `scores` [count, types].

    The draw is the processor's, so that a seed gives the same text on every device.
    """
    if sampling.temperature == 0:
        return scores.argmax(dim=1)
    if 0 < sampling.top_k < scores.shape[1]:
        best, places = scores.topk(sampling.top_k, dim=1)
        scores = torch.full_like(scores, -torch.inf).scatter(1, places, best)
    shares = torch.softmax((scores - scores.amax(1, keepdim=True)) / sampling.temperature, dim=1)
    return torch.multinomial(shares.cpu(), 1, generator=generator)[:, 0].to(scores.device)


def ids_of(text: str, spec: dict[str, Any]) -> list[int]:
    """The ids of a prompt's words or characters. Raises UserError naming one that is unknown."""
    units = words_in(text) if spec["unit"] == "word" else list(text)
    ids = {unit: identity for identity, unit in enumerate(spec["vocabulary"])}
    for unit in units:
        if unit not in ids:
            close = get_close_matches(unit, ids, n=1)
            raise UserError(f"the {spec['unit']} {unit!r} is not in the vocabulary of the training "
                            f"text{f'; did you mean {close[0]!r}?' if close else ''}")
    return [ids[unit] for unit in units]


def text_of(ids: Sequence[int], spec: dict[str, Any]) -> str:
    """Units as text: characters as they are, words with spaces and a new line a sentence."""
    units = [spec["vocabulary"][identity] for identity in ids]
    if spec["unit"] == "character":
        return "".join(units)
    sentences = " ".join("\n" if unit == END["word"] else unit for unit in units)
    return sentences.replace(" \n ", "\n").replace(" \n", "\n").replace("\n ", "\n")
