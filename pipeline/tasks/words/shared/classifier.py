"""Networks that say which word a recording holds; a system adds what hears it.

Where a track has folds, a system is one network for each of them, all alike but for what they have
heard: none has a frame of its fold's speaker, neither among the batches nor in the mean and the
deviation by which features are standardised. A speaker's recordings are answered by the network
that never heard him, and those of somebody whom no fold names by all of them, whose probabilities
are averaged.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from pipeline.audio.batching import padded
from pipeline.audio.frames import Frames
from pipeline.entries import VariantSettings
from pipeline.nn.containers import module_list
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Batch, Curve, NeuralSystem, Run
from pipeline.tasks.words.shared.batching import WordBatches
from pipeline.tasks.words.shared.folds import answering, folds_of, names
from pipeline.tasks.words.shared.hearing import Hearing, NetworkSettings

_DECIMALS = 6


class Body(nn.Module):
    """One network: from the frames of words to log-probabilities of their classes."""

    def __init__(self, settings: NetworkSettings, spec: Mapping[str, Any]) -> None:
        super().__init__()
        self.hearing = Hearing(settings, spec)

    @abstractmethod
    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """The answers [B, labels] to words of `frames` [B, T, D] with `lengths` [B]."""

    def loss(self, frames: Tensor, lengths: Tensor, labels: Tensor) -> Tensor:
        """Summed loss of words with `labels` [B] in nats: here, of the answers."""
        return functional.nll_loss(self(frames, lengths), labels, reduction="sum")


B = TypeVar("B", bound=Body)


class Classifier(NeuralSystem, Generic[B]):
    """A network of the same kind for each fold, or one alone where a track has no folds."""

    settings: NetworkSettings

    def __init__(self, settings: NetworkSettings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.folds = names(spec)
        self.bodies = module_list(self.body() for _ in self.folds)

    @abstractmethod
    def body(self) -> B:
        """A new network."""

    def batches(self, data: Path, split: str, seed: int) -> WordBatches:
        rows = [fold.train if split == "train" else fold.valid for fold in folds_of(data)]
        tempo = self.settings.tempo if split == "train" else 0.0
        return WordBatches(data, split, self.spec["labels"], rows,
                           self.settings.batch_utterances, seed, tempo)

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Nats of the batch's words by its fold's network; the terms are words."""
        body = self.bodies[batch["fold"]]
        return (body.loss(batch["frames"], batch["lengths"], batch["labels"]),
                float(len(batch["labels"])))

    def fit(self, data: Path, run: Run) -> Curve:
        frames = Frames(data, "train")
        for body, fold in zip(self.bodies, folds_of(data), strict=True):
            body.hearing.standardise_by(frames[row] for row in fold.train)
        return super().fit(data, run)

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        labels = self.spec["labels"]
        items = read_json(data / "test.items.json")
        words = zip(Frames(data, "test"), items, strict=True)
        found = self.alone(lambda word: self.asked(_answer, word[0], word[1]["speaker"]), words)
        for item, answer in zip(items, found, strict=True):
            rounded = answer.astype(np.float64).round(_DECIMALS).tolist()
            yield {"id": item["id"], "label": labels[int(answer.argmax())],
                   "probabilities": dict(zip(labels, rounded, strict=True))}

    def asked(self, ask: Callable[[B, Tensor, Tensor], Tensor], frames: NDArray[np.float32],
              speaker: str) -> NDArray[np.float32]:
        """What `ask(body, frames [1, T, D], lengths [1])` says of one word, its first row.

        Asked is the network that never heard the speaker, or all, of which this is the mean.
        """
        batch = self.here(padded([frames]))
        with self.answering():
            found = [ask(self.bodies[self.folds.index(fold)], batch["frames"], batch["lengths"])[0]
                     for fold in answering(self.folds, speaker)]
            return torch.stack(found).mean(dim=0).cpu().numpy()

    @property
    def parameters_count(self) -> int:
        """Of one network: as many as answer a recording."""
        return sum(parameter.numel() for parameter in self.bodies[0].parameters())


def _answer(body: Body, frames: Tensor, lengths: Tensor) -> Tensor:
    return body(frames, lengths).exp()
