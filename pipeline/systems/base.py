"""What a system is: it is fitted, saved, loaded, and predicts; the stages need nothing else.

A system is one module in its task's folder with one public subclass of `System` (classical) or
`NeuralSystem` (trained by `pipeline.systems.training`) and a `Settings` class for its entry in
params.yaml. Weights are safetensors, everything else JSON; nothing is a pickle.
"""

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from pipeline.entries import SystemSettings, TrainingSettings, VariantSettings
from pipeline.errors import UserError
from pipeline.modules import model_module
from pipeline.storage.files import read_json, write_json
from pipeline.storage.predictions import Prediction

Batch = dict[str, Any]
Curve = list[dict[str, float]]


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
    precision: str = "fp32"
    earlier_seconds: float = 0.0
    logger: Any = None


class System(ABC):
    """A fitted or unfitted entrant of a track.

    `spec` is the JSON object `spec.json` that the features stage wrote beside the training data
    (vocabulary sizes, feature dimensions, ...); with `settings` it determines every shape.
    """

    Settings: ClassVar[type[SystemSettings]]

    def __init__(self, settings: Any, spec: dict[str, Any]) -> None:
        super().__init__()
        self.settings = settings
        self.spec = spec

    @abstractmethod
    def fit(self, data: Path, run: Run) -> Curve:
        """Fit on `data` (the features' `fit` folder); return the learning curve, if any.

        A curve is a list of points like {"step": 120, "loss": 2.1, "validation_loss": 2.3}.
        """

    @abstractmethod
    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        """Answer every item of `data` (the features' `test` folder)."""

    @abstractmethod
    def tensors(self) -> Mapping[str, Tensor]:
        """Everything that `fit` found, by name."""

    @abstractmethod
    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Take back what `tensors` gave. Raises KeyError or RuntimeError when it does not fit."""

    @property
    @abstractmethod
    def parameters_count(self) -> int:
        """Number of fitted parameters, as the leaderboard shows it."""

    def save(self, directory: Path) -> None:
        """Write weights.safetensors and system.json into `directory`."""
        directory.mkdir(parents=True, exist_ok=True)
        tensors = {name: tensor.detach().cpu().contiguous().clone()
                   for name, tensor in self.tensors().items()}
        weights = directory / "weights.safetensors"
        save_file(tensors, weights)
        weights.chmod(0o644)
        write_json(directory / "system.json",
                   {"settings": self.settings.model_dump(mode="json"), "spec": self.spec})

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read a saved system. Raises UserError naming a file that is missing or damaged."""
        record = read_json(directory / "system.json")
        weights = directory / "weights.safetensors"
        try:
            system = cls(cls.Settings.model_validate(record["settings"]), record["spec"])
            system.load_tensors(load_file(weights))
        except (SafetensorError, FileNotFoundError, KeyError, RuntimeError) as error:
            raise UserError(f"{weights} is missing, damaged or of another system ({error}); "
                            "train the system again") from None
        return system


class Batches(Protocol):
    """A data set cut into batches.

    The order of an epoch depends on nothing but its number and the seed, so that training can
    be taken up again in the middle of an epoch.
    """

    def plan(self, epoch: int) -> list[Any]:
        """Cheap descriptions of the epoch's batches, in order."""

    def load(self, description: Any) -> Batch:
        """The tensors of one batch."""


class NeuralSystem(System, nn.Module):
    """A system trained by gradient descent: a torch module that knows its batches and its loss."""

    @abstractmethod
    def batches(self, data: Path, split: str, seed: int) -> Batches:
        """Batches of the split 'train' or 'valid' in the features' `fit` folder."""

    @abstractmethod
    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Summed loss of a batch (scalar tensor) and the number of terms in the sum.

        Training minimises sum / terms of each batch; validation reports total sum / total terms.
        """

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

    def fit(self, data: Path, run: Run) -> Curve:
        from pipeline.systems.training import fit

        return fit(self, data, run)

    def tensors(self) -> Mapping[str, Tensor]:
        return self.state_dict()

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        self.load_state_dict(tensors)
        self.eval()

    @property
    def parameters_count(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())


def system_class(task: str, model: str) -> type[System]:
    """The one public System subclass that the module of `model` defines."""
    module = model_module(task, model)
    found = [value for name, value in vars(module).items()
             if inspect.isclass(value) and issubclass(value, System)
             and value.__module__ == module.__name__ and not name.startswith("_")]
    if len(found) != 1:
        raise UserError(f"{module.__file__}: expected one public system class, "
                        f"found {len(found)}")
    return found[0]


def seeded(seed: int) -> torch.Generator:
    """A generator that depends on `seed` alone."""
    generator = torch.Generator()
    generator.manual_seed(seed % (2**63))
    return generator


def mean_loss(total: float, terms: float) -> float:
    return total / terms if terms else math.nan
