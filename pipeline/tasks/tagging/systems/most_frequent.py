"""The most frequent tag of each word: the baseline that every tagger has to beat.

A word gets the tag that it had most often in the training text, whatever stands beside it; a word
that training never saw gets the tag that most words there have (Jurafsky and Martin, Speech and
Language Processing, chapter on sequence labelling).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pipeline.entries import SystemSettings, VariantSettings
from pipeline.storage.predictions import Prediction
from pipeline.systems.base import Run, System
from pipeline.tasks.tagging.shared.answers import by_sentence
from pipeline.tasks.tagging.shared.counts import vocabulary_rows, word_tag_counts
from pipeline.tasks.tagging.shared.tagger import Tagger
from pipeline.tasks.tagging.shared.text import Text


class Settings(SystemSettings):
    """No hyper-parameters."""


class MostFrequentTag(System, Tagger):
    """`tags` [forms + 1] holds each form's tag, the last entry that of an unknown word."""

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.tags = torch.zeros(len(spec["forms"]) + 1, dtype=torch.int32)

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        text = Text.read(data, "train")
        counts = word_tag_counts(text, self.spec["forms"], len(self.spec["tags"]))
        # Of equally frequent tags the one that is more frequent in the whole text.
        whole = counts.sum(axis=0)
        best = (counts + 0.5 * whole / (whole.sum() + 1)).argmax(axis=1)
        self.tags = torch.from_numpy(np.append(best, whole.argmax()).astype(np.int32))
        return []

    def predict(self, data: Path, variant: VariantSettings | None) -> Iterator[Prediction]:
        text = Text.read(data, "test")
        rows = vocabulary_rows(text.forms, self.spec["forms"])
        return by_sentence(self.tags.numpy()[rows[text.words]], text, self.spec["tags"], data)

    def tensors(self) -> Mapping[str, Tensor]:
        return {"tags": self.tags}

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        if tensors["tags"].shape != self.tags.shape:
            raise RuntimeError(f"expected {len(self.tags)} tags, got {len(tensors['tags'])}")
        self.tags = tensors["tags"]

    @property
    def parameters_count(self) -> int:
        return len(self.tags)
