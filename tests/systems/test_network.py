"""A network answers items one after another, and leaves the process and itself as they were."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pipeline.systems.network import Batch, Batches, Network


class Toy(Network):
    """Dropout before a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Sequential(nn.Dropout(0.5), nn.Linear(3, 2))

    def batches(self, data: Path, split: str, seed: int) -> Batches:
        raise NotImplementedError

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        raise NotImplementedError

    def situation(self, item: int = 0) -> tuple[Any, ...]:
        return (self.training, self.layer[0].training, torch.is_grad_enabled(),
                torch.get_default_dtype())


ANSWERING = (False, False, False, torch.float32)
LEARNING = (True, True, True, torch.float64)


@pytest.fixture
def toy() -> Iterator[Toy]:
    """In training, in a process that computes in double precision."""
    made = Toy().train()
    torch.set_default_dtype(torch.float64)
    yield made
    torch.set_default_dtype(torch.float32)


def test_each_item_is_answered_in_the_same_situation(toy: Toy) -> None:
    answers = toy.alone(toy.situation, range(3))
    for _ in range(3):
        assert next(answers) == ANSWERING
        assert toy.situation() == LEARNING
        toy.train()
    assert next(answers, None) is None


def test_a_failure_leaves_the_situation_as_it_was(toy: Toy) -> None:
    with pytest.raises(ZeroDivisionError):
        list(toy.alone(lambda item: 1 / item, [0]))
    assert toy.situation() == LEARNING


def test_nothing_is_read_ahead_and_nothing_is_dropped(toy: Toy) -> None:
    read = []

    def items() -> Iterator[Tensor]:
        for number in range(1, 4):
            read.append(number)
            yield torch.full((3,), float(number), dtype=torch.float32)

    answers = toy.alone(toy.layer, items())
    first = next(answers)
    assert read == [1] and not first.requires_grad
    toy.eval()
    assert torch.equal(first, toy.layer(torch.ones(3, dtype=torch.float32)))
