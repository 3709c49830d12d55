"""What the trainer works on: a network with its batches and its loss, and one run of training it.

The trainer (`pipeline.systems.training`) knows no more of a system than this, and a system starts
the trainer, so both import this module and neither imports the other in a circle.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.entries import Precision, TrainingSettings

Batch = dict[str, Any]
Curve = list[dict[str, float]]
Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Run:
    """Where and how one system is being fitted.

    `work` keeps resume checkpoints and belongs to exactly this version of settings, data and code;
    `earlier_seconds` is what killed attempts at it have cost; `logger` takes live curves through
    `log_metrics(metrics, step)`, as Lightning's loggers do, or is None.
    """

    seed: int
    work: Path
    threads: int = 1
    device: str = "cpu"
    precision: Precision = "fp32"
    earlier_seconds: float = 0.0
    logger: Any = None


class Batches(Protocol):
    """A data set cut into batches.

    The order of an epoch depends on nothing but its number and the seed, so that training can
    be taken up again in the middle of an epoch.
    """

    def plan(self, epoch: int) -> list[Any]:
        """Cheap descriptions of the epoch's batches, in order."""

    def load(self, description: Any) -> Batch:
        """The tensors of one batch."""


class Network(nn.Module, ABC):
    """A torch module that knows its batches and its loss; `settings.training` says how to train."""

    settings: Any

    @abstractmethod
    def batches(self, data: Path, split: str, seed: int) -> Batches:
        """Batches of the split 'train' or 'valid' in the features' `fit` folder."""

    @abstractmethod
    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Summed loss of a batch (scalar tensor) and the number of terms in the sum.

        Training minimises sum / terms of each batch; validation reports total sum / total terms.
        """

    @property
    def device(self) -> torch.device:
        """Where its parameters are, and where all that it computes with has to be."""
        return next(self.parameters()).device

    def from_arrays(self, *arrays: NDArray) -> tuple[Tensor, ...]:
        """The arrays as tensors on the network's device."""
        return tuple(torch.from_numpy(array).to(self.device) for array in arrays)

    def here(self, batch: Batch) -> Batch:
        """The same batch with its tensors on the network's device."""
        return {name: value.to(self.device) if isinstance(value, Tensor) else value
                for name, value in batch.items()}

    def alone(self, answer: Callable[[Item], Answer], items: Iterable[Item]) -> Iterator[Answer]:
        """What `answer` says of each of `items`, computed as if there were no other.

        A product of matrices rounds a row differently with other rows beside it or with padding
        behind it, and two candidates that are nearly as good change places. So answers are not
        computed in batches: nothing else makes the same item's answer the same in any company.
        """
        for item in items:
            with self.answering():
                found = answer(item)
            yield found

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Within, nothing is dropped, drawn or recorded, and numbers are made in single precision.

        Training or not and the process's default precision are afterwards what they were.
        """
        learning, precision = self.training, torch.get_default_dtype()
        self.eval()
        torch.set_default_dtype(torch.float32)
        try:
            with torch.no_grad():
                yield
        finally:
            torch.set_default_dtype(precision)
            self.train(learning)

    def begin_epoch(self, training: bool) -> None:
        """Called before the first batch of an epoch: reset whatever is carried over batches."""

    def carried(self) -> dict[str, Tensor]:
        """Tensors carried from one training batch to the next (a recurrent state), for resume."""
        return {}

    def take_carried(self, tensors: dict[str, Tensor]) -> None:
        """Take back what `carried` gave."""

    def parameter_groups(self, training: TrainingSettings) -> list[dict[str, Any]]:
        """Optimizer groups; a system may give some parameters a learning rate of their own."""
        return [{"params": list(self.parameters())}]


def device_of(name: str) -> torch.device:
    """What params.yaml means by `device`: "auto" is a GPU where there is one."""
    gpu = name == "auto" and torch.cuda.is_available()
    return torch.device("cuda" if gpu else "cpu")


def mean_loss(total: float, terms: float) -> float:
    return total / terms if terms else math.nan
