"""The ranking objective: a true window scores higher than one with a wrong word in the middle.

Collobert and Weston 2008, "A Unified Architecture for Natural Language Processing": the vectors of
a window stand end to end, a tanh layer reads them, a linear one gives their score, and a window
whose centre is any word of the vocabulary instead must score lower by a margin of 1. Unlike the
bag of words and skip-gram it knows the order of the context.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from pipeline.entries import SystemSettings, TrainingSettings
from pipeline.systems.base import Batch, NeuralSystem
from pipeline.tasks.embeddings.shared.answers import WordVectors
from pipeline.tasks.embeddings.shared.text import read_ids
from pipeline.tasks.embeddings.shared.windows import CorruptedWindows

MARGIN = 1.0


class Settings(SystemSettings):
    """A ranking entry of `systems`."""

    dimensions: int = Field(ge=1)
    window: int = Field(ge=1, description="words to each side of a centre")
    hidden: int = Field(ge=1, description="width of the tanh layer")
    batch_words: int = Field(ge=1, description="words of text, each a centre, a batch")
    training: TrainingSettings


class Ranking(WordVectors, NeuralSystem):
    """score(window) = w . tanh(b + U [vectors of the context, vector of the centre]).

    The last row of `embedding` [words + 1, dimensions] stands beside the ends of a sentence.
    """

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.embedding = nn.Parameter(torch.empty(len(spec["words"]) + 1, settings.dimensions))
        nn.init.uniform_(self.embedding, -0.5 / settings.dimensions, 0.5 / settings.dimensions)
        self.context = nn.Linear(2 * settings.window * settings.dimensions, settings.hidden)
        self.centre = nn.Linear(settings.dimensions, settings.hidden, bias=False)
        self.score = nn.Linear(settings.hidden, 1, bias=False)

    def batches(self, data: Any, split: str, seed: int) -> CorruptedWindows:
        words = len(self.spec["words"])
        return CorruptedWindows(read_ids(data, split, words), words, self.settings.window,
                                self.settings.batch_words, seed, shuffle=split == "train")

    def loss(self, batch: Batch) -> tuple[Tensor, float]:
        """Hinge losses; the terms are windows. The context is read once for both centres."""
        context = self.context(self.embedding[batch["contexts"]].flatten(1))
        true, corrupted = (
            self.score(torch.tanh(context + self.centre(self.embedding[batch[name]])))
            for name in ("centres", "noise"))
        return functional.relu(MARGIN - true + corrupted).sum(), float(len(context))

    def vectors(self) -> NDArray[np.float64]:
        return self.embedding[:-1].detach().cpu().double().numpy()
