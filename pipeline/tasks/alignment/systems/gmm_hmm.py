"""Alignment as it was before networks: mixtures of Gaussians over states of phones.

Rabiner 1989; Young et al., "The HTK Book": three states a phone, trained from what was said without
any times (`pipeline.tasks.alignment.shared.gaussians`), and the best path through the states of
what was said. The same model answers what was said by a loop in which any phone follows any.

Nothing is drawn at random, so a second training gives the same system.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pipeline.entries import SystemSettings, VariantSettings
from pipeline.hmm.gmm import Mixtures
from pipeline.hmm.phones import Monophones
from pipeline.hmm.training import Pass
from pipeline.hmm.utterances import AcousticModel
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Run, System
from pipeline.tasks.alignment.shared.aligner import answer
from pipeline.tasks.alignment.shared.batching import Utterances
from pipeline.tasks.alignment.shared.gaussians import GaussianAligner, Growth, topology
from pipeline.tasks.alignment.shared.searches import Found


class Variant(VariantSettings):
    """How an utterance is searched."""

    search: Literal["constrained", "order-synchronous"]


class Settings(SystemSettings):
    coefficients: int = Field(ge=1, description="mel cepstra of a frame")
    monophones: Growth
    variants: dict[str, Variant] = Field(min_length=1)


class GmmHmm(System):
    """Monophones of three states."""

    settings: Settings
    aligner: GaussianAligner

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        labels = self.spec["phones"]
        valid = Utterances.of(data, "valid", labels)
        curve: list[dict[str, float]] = []

        def tell(after: GaussianAligner, report: Pass) -> None:
            curve.append({"step": len(curve) + 1, "loss": -report.log_likelihood,
                          "validation_loss": after.loss_of(valid)})

        self.aligner = GaussianAligner.trained(
            Utterances.of(data, "train", labels), labels, self.settings.coefficients,
            self.settings.monophones, tell)
        return curve

    def predict(self, data: Path, variant: Variant) -> Iterator[Prediction]:
        utterances = Utterances.of(data, "test", self.spec["phones"])
        for item, symbols, frames in zip(utterances.items, utterances.symbols, utterances.frames,
                                         strict=True):
            found = (self.aligner.free(frames) if variant.search == "order-synchronous"
                     else Found(symbols, self.aligner.constrained(frames, symbols)))
            yield answer(self.spec, item["id"], found)

    def tensors(self) -> Mapping[str, Tensor]:
        mixtures = self.aligner.model.mixtures
        found = {"weights": mixtures.weights, "means": mixtures.means,
                 "variances": mixtures.variances, "offsets": mixtures.offsets,
                 "stay": np.asarray(self.aligner.model.tied.stay)}
        return {name: torch.from_numpy(np.ascontiguousarray(array))
                for name, array in found.items()}

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        own = {name: tensor.numpy() for name, tensor in tensors.items()}
        labels = self.spec["phones"]
        tied = Monophones.of(topology(labels)).with_stay(own["stay"])
        mixtures = Mixtures(own["weights"], own["means"], own["variances"], own["offsets"])
        self.aligner = GaussianAligner(AcousticModel(tied, mixtures), labels,
                                       self.settings.coefficients)

    @property
    def parameters_count(self) -> int:
        """Weights, means and variances of Gaussians, and stays."""
        model = self.aligner.model
        return (model.mixtures.weights.size + 2 * model.mixtures.means.size
                + len(model.tied.stay))
