"""Negative sampling: a true word against noise words, instead of against the whole vocabulary.

For a hidden vector h and a true word w the loss is -log s(h.u_w) - k E log s(-h.u_n), with s the
logistic function, u the output vectors and n drawn from the words' frequencies to the power 0.75
(Mikolov et al. 2013, equation 4). In training, the expectation is estimated with words that all
rows of a batch share, which makes of it a product of two matrices (Ji et al. 2016, "Parallelizing
Word2Vec in Shared and Distributed Memory"); it is the same objective, with more than k noise words
a row and less variance. In validation the expectation is computed exactly.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from pipeline.entries import SystemSettings, TrainingSettings
from pipeline.systems.base import NeuralSystem
from pipeline.tasks.embeddings.shared.answers import WordVectors
from pipeline.tasks.embeddings.shared.text import read_ids
from pipeline.tasks.embeddings.shared.windows import SubsampledWindows

_ROWS = 1024


class Settings(SystemSettings):
    """An entry of `systems` that is trained with negative sampling."""

    dimensions: int = Field(ge=1)
    window: int = Field(ge=1, description="most words to each side of a centre")
    subsampling: float = Field(
        gt=0, le=1, description="share of the text above which a word is often dropped; 1: never")
    negatives: int = Field(ge=1, description="weight of the noise: noise words a true word (k)")
    noise_power: float = Field(ge=0, le=1, description="of frequencies in the noise distribution")
    noise_words: int = Field(ge=1, description="noise words that a training batch shares")
    batch_words: int = Field(ge=1, description="words of text a batch, before subsampling")
    training: TrainingSettings


class NegativeSampling(WordVectors, NeuralSystem):
    """Input and output vectors of the words, [words, dimensions]; the input's are the result."""

    settings: Settings
    noise: Tensor

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.input, self.output = (nn.Parameter(torch.empty(
            len(spec["words"]), settings.dimensions)) for _ in range(2))
        for vectors in (self.input, self.output):
            nn.init.uniform_(vectors, -0.5 / settings.dimensions, 0.5 / settings.dimensions)
        counts = torch.tensor(spec["counts"], dtype=torch.float32)
        noise = counts ** settings.noise_power * (counts > 0)
        self.register_buffer("noise", noise / noise.sum(), persistent=False)

    def batches(self, data: Any, split: str, seed: int) -> SubsampledWindows:
        counts = np.array(self.spec["counts"], np.float64)
        return SubsampledWindows(
            read_ids(data, split, len(counts)), keep_probabilities(
                counts, self.settings.subsampling),
            self.settings.window, self.settings.batch_words, seed, shuffle=split == "train")

    def negative_loss(self, hidden: Tensor, true_words: Tensor) -> Tensor:
        """Summed noise terms of `hidden` [rows, dimensions], a row's times its `true_words`."""
        if self.training:
            drawn = torch.multinomial(self.noise, self.settings.noise_words, replacement=True)
            terms = functional.softplus(hidden @ self.output[drawn].T).mean(1)
        else:
            terms = torch.cat([functional.softplus(rows @ self.output.T) @ self.noise
                               for rows in hidden.split(_ROWS)])
        return self.settings.negatives * (true_words * terms).sum()

    def vectors(self) -> NDArray[np.float64]:
        return self.input.detach().cpu().double().numpy()


def positive_loss(hidden: Tensor, outputs: Tensor) -> Tensor:
    """Summed -log s(h.u) of rows of `hidden` and of the true words' `outputs`, both [n, d]."""
    return functional.softplus(-(hidden * outputs).sum(1)).sum()


def keep_probabilities(counts: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    """Probability of keeping each word of the text: min(1, sqrt(threshold / its share))."""
    share = counts / counts.sum()
    return np.sqrt(threshold / np.maximum(share, threshold))
