"""What a system is: it is fitted, saved, loaded, and predicts; the stages need nothing else.

A system is one module in its task's folder with one public subclass of `System` (classical) or
`NeuralSystem` (trained by `pipeline.systems.training`) and a `Settings` class for its entry in
params.yaml.

A saved system answers alone: its folder holds weights (safetensors), texts (JSON), what its
features stage left for it, `system.json` with settings, and a seal, by which every file is checked
before a byte of it is used (`pipeline.storage.seal`). Nothing is a pickle.
"""

import inspect
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from pipeline.entries import SystemSettings
from pipeline.errors import UserError
from pipeline.modules import model_module
from pipeline.storage.artefacts import ARTEFACTS
from pipeline.storage.predictions import Prediction
from pipeline.storage.seal import sealing
from pipeline.systems import model_folder
from pipeline.systems.network import Batch, Batches, Curve, Network, Run

# A system's module has from here all that it needs.
__all__ = ["Batch", "Batches", "Curve", "NeuralSystem", "Run", "System", "seeded", "system_class"]

_STRIDE = 1_000_003  # between the seeds of what one seed draws


class System(ABC):
    """A fitted or unfitted entrant of a track.

    `spec` is the JSON object `spec.json` that the features stage wrote beside the training data
    (vocabulary sizes, feature dimensions, ...); with `settings` it determines every shape.
    `artefacts` is the folder of what it wrote there that is no JSON (tokenizers, say): among the
    features while the system is fitted, in its own folder once it is saved and loaded.
    """

    artefacts: Path | None = None
    # Whether the items are one text that is read on and on, so that an answer depends on the items
    # before it. All others answer each item by itself.
    running_text: ClassVar[bool] = False

    def __init__(self, settings: Any, spec: dict[str, Any]) -> None:
        super().__init__()
        self.settings = settings
        self.spec = spec

    @classmethod
    def settings_class(cls) -> type[SystemSettings]:
        """`Settings` of the module that defines the system."""
        settings: type[SystemSettings] = sys.modules[cls.__module__].Settings
        return settings

    @property
    def task(self) -> str:
        """The task in whose folder the system's module stands."""
        return type(self).__module__.split(".")[-3]

    @abstractmethod
    def fit(self, data: Path, run: Run) -> Curve:
        """Fit on `data` (the features' `fit` folder); return the learning curve, if any.

        A curve is a list of points like {"step": 120, "loss": 2.1, "validation_loss": 2.3}.
        """

    @abstractmethod
    def predict(self, data: Path, variant: Any) -> Iterator[Prediction]:
        """Answer every item of `data` (the features' `test` folder).

        `variant` is one of the settings' `variants`, or None where they have none.
        """

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

    def texts(self) -> Mapping[str, Any]:
        """What `fit` found that is text (a lexicon, transcripts), by name, as JSON can hold it."""
        return {}

    def load_texts(self, texts: Mapping[str, Any]) -> None:  # noqa: B027, most have none
        """Take back what `texts` gave, before `load_tensors` is called.

        Raises KeyError or RuntimeError when it does not fit.
        """

    def save(self, directory: Path, artefacts: Path | None = None) -> None:
        """Write the system into `directory`, with a copy of its artefacts or those given."""
        with sealing(directory):
            model_folder.write(directory, self.task, self.settings.model_dump(mode="json"),
                               self.spec, self.tensors(), self.texts(),
                               artefacts or self.artefacts)
            self.export(directory)

    def export(self, directory: Path) -> None:  # noqa: B027, most have none
        """Add to the folder of the saved system what other programs read; it is not read back."""

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read a saved system. Raises UserError naming a file that is missing or damaged."""
        saved = model_folder.read(directory)
        try:
            system = cls(cls.settings_class().model_validate(saved.settings), saved.spec)
            system.load_texts(saved.texts)
            system.load_tensors(saved.tensors)
        except (LookupError, RuntimeError, ValueError, TypeError) as error:
            raise UserError(f"{directory} holds another system, or one of another version "
                            f"({error}); train the system again") from None
        system.artefacts = directory / ARTEFACTS
        return system


class NeuralSystem(System, Network):
    """A system trained by gradient descent."""

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


def seeded(seed: int, number: int = 0) -> torch.Generator:
    """A generator that depends on `seed` alone, or on it and the number of what is drawn."""
    generator = torch.Generator()
    generator.manual_seed((seed + number * _STRIDE) % (2**63))
    return generator
