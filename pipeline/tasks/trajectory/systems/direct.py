"""The whole path straight from the start state, with no recurrence: three baselines, each a row.

The constant path stays at the start. The nearest neighbour has the path of the training start that
is closest, coordinates in their units. Ridge regression (Hoerl and Kennard 1970) has one linear
map from all powers and products of the coordinates up to a degree to all states at once; it can
interpolate between paths, and has weights of its own for each time.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from scipy.linalg import solve
from scipy.spatial import KDTree
from torch import Tensor

from pipeline.entries import SystemSettings, VariantSettings
from pipeline.errors import UserError
from pipeline.storage.arrays import read_array
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Run, System
from pipeline.tasks.trajectory.shared.answers import answers
from pipeline.tasks.trajectory.shared.starts import read_starts

Array = NDArray[np.float64]


class Constant(VariantSettings):
    """The path stays where it starts."""

    method: Literal["constant"]


class Nearest(VariantSettings):
    """The training path with the nearest start."""

    method: Literal["nearest"]


class Ridge(VariantSettings):
    """Ridge regression on the polynomial features of the start."""

    method: Literal["ridge"]


class Settings(SystemSettings):
    """A direct entry of `systems`."""

    degree: int = Field(ge=1, le=12, description="of the ridge regression's polynomials")
    penalty: float = Field(gt=0, description="on the squared weights, per training path")
    variants: dict[str, Annotated[Constant | Nearest | Ridge, Field(discriminator="method")]] = (
        Field(min_length=1))


class Direct(System):
    """`paths` are those of the training split, `weights` the ridge regression's."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.paths = np.zeros((0, spec["steps"] + 1, len(spec["coordinates"])))
        self.weights = np.zeros((0, 0))

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        self.paths = np.array(read_array(data / "train.npy"))
        features = polynomials(self._standardised(self.paths[:, 0]), self.settings.degree)
        targets = self._standardised(self.paths[:, 1:]).reshape(len(features), -1)
        penalties = np.full(features.shape[1], self.settings.penalty * len(features))
        penalties[0] = 0.0  # the constant feature: a mean is not shrunk
        self.weights = solve(features.T @ features + np.diag(penalties), features.T @ targets,
                             assume_a="pos")
        return []

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        """Raises UserError naming a start that is too far from the others to be compared."""
        if not len(self.paths):
            raise UserError("the direct baselines have not been fitted; run their train stage")
        starts = read_starts(data)
        self._check_near(starts, data)
        if isinstance(variant, Constant):
            found = np.repeat(starts[:, None], self.spec["steps"], axis=1)
        elif isinstance(variant, Nearest):
            tree = KDTree(self._standardised(self.paths[:, 0]))
            found = self.paths[tree.query(self._standardised(starts))[1], 1:]
        else:
            features = polynomials(self._standardised(starts), self.settings.degree)
            flat = np.stack([row @ self.weights for row in features])
            found = (flat.reshape(len(starts), self.spec["steps"], -1) * self.spec["scale"]
                     + self.spec["mean"])
        return answers(found, data)

    def _check_near(self, starts: Array, data: Path) -> None:
        with np.errstate(over="ignore"):
            far = ~np.isfinite((self._standardised(starts) ** 2).sum(axis=1))
        if far.any():
            identity = read_json(data / "items.json")["ids"][int(far.argmax())]
            raise UserError(f"{identity}: this start is too far from those that the system has "
                            "learnt from; choose a nearer one")

    def tensors(self) -> Mapping[str, Tensor]:
        return {"paths": torch.from_numpy(self.paths), "weights": torch.from_numpy(self.weights)}

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        if tensors["paths"].shape[1:] != self.paths.shape[1:]:
            raise RuntimeError(f"paths of shape {tuple(tensors['paths'].shape[1:])}, expected "
                               f"{self.paths.shape[1:]}")
        self.paths, self.weights = tensors["paths"].numpy(), tensors["weights"].numpy()

    @property
    def parameters_count(self) -> int:
        """The ridge regression's weights."""
        return self.weights.size

    def _standardised(self, states: Array) -> Array:
        return (states - self.spec["mean"]) / self.spec["scale"]


def polynomials(values: Array, degree: int) -> Array:
    """Products of up to `degree` coordinates of `values` [rows, coordinates], 1 as the first."""
    columns = [np.ones(len(values))]
    for size in range(1, degree + 1):
        columns += [values[:, chosen].prod(axis=1) for chosen in
                    combinations_with_replacement(range(values.shape[1]), size)]
    return np.stack(columns, axis=1)
