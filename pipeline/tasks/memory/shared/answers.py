"""What a system answers: a number, or a class; its output layer, its loss and its prediction.

A track's `spec` decides: with `classes` the outputs are scores whose softmax gives probabilities
and the loss is cross entropy in nats; without, the one output is the answer and the loss is the
squared error.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.nn.bptt import cross_entropy_gradient
from pipeline.storage.files import read_json
from pipeline.storage.numbers import shortened
from pipeline.storage.predictions import Prediction

_DECIMALS = 6
_DIGITS = 6  # at least, of answers next to zero


class Answer(ABC):
    """How outputs become a loss and predictions; `outputs` is how many there are."""

    outputs: int

    @abstractmethod
    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Summed loss of `outputs` [B, outputs]; `targets` [B] as the features stage wrote them."""

    @abstractmethod
    def gradient(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """That of `loss` by the outputs, [B, outputs], as the lecture has it."""

    @abstractmethod
    def values(self, outputs: Tensor) -> list[Any]:
        """The answers that `outputs` [B, outputs] give, as a prediction has them."""

    def predictions(self, outputs: Tensor, data: Path) -> Iterator[Prediction]:
        """`{"id", "answer"}` for each test item from `outputs` [items, outputs]."""
        items = read_json(data / "items.json")
        for item, value in zip(items, self.values(outputs), strict=True):
            yield {"id": item["id"], "answer": value}


class Number(Answer):
    """One number; the loss is the squared error."""

    outputs = 1

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return functional.mse_loss(outputs[:, 0].to(targets), targets, reduction="sum")

    def gradient(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return 2 * (outputs - targets[:, None])

    def values(self, outputs: Tensor) -> list[float]:
        return [shortened(value, _DECIMALS, _DIGITS) for value in outputs[:, 0].double().tolist()]


class OneOf(Answer):
    """One of the classes; the loss is cross entropy."""

    def __init__(self, classes: list[str]) -> None:
        self.classes = classes
        self.outputs = len(classes)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(outputs.float(), targets, reduction="sum")

    def gradient(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy_gradient(outputs, targets)

    def values(self, outputs: Tensor) -> list[str]:
        return [self.classes[index] for index in torch.argmax(outputs, dim=1).tolist()]


def answer_of(spec: dict[str, Any]) -> Answer:
    """The kind of answer that a track's `spec` asks for."""
    return Number() if spec["classes"] is None else OneOf(spec["classes"])
