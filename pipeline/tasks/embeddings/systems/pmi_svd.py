"""Counting instead of predicting: positive pointwise mutual information, reduced by an SVD.

How much more often two words stand near each other than chance would have it, log p(w, c) /
(p(w) p(c)), is what skip-gram with negative sampling approximates (Levy and Goldberg 2014, "Neural
Word Embedding as Implicit Matrix Factorization"). As in Levy, Goldberg and Dagan 2015, frequencies
of contexts are smoothed by a power, near words count more, and the singular values are taken to a
power.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse
from scipy.sparse.linalg import svds
from torch import Tensor

from pipeline.entries import SystemSettings
from pipeline.errors import UserError
from pipeline.systems.base import Run
from pipeline.tasks.embeddings.shared.answers import WordVectors
from pipeline.tasks.embeddings.shared.text import read_ids
from pipeline.tasks.embeddings.shared.windows import sentence_numbers


class Settings(SystemSettings):
    """A PPMI-SVD entry of `systems`."""

    dimensions: int = Field(ge=1)
    window: int = Field(ge=1, description="words to each side; the d-th counts 1 - (d - 1)/window")
    context_power: float = Field(gt=0, le=1, description="of the contexts' frequencies")
    shift: float = Field(ge=1, description="k of log k, which is taken off; 1: nothing")
    value_power: float = Field(ge=0, le=1, description="of the singular values in the vectors")


class PmiSvd(WordVectors):
    """`fitted` has the vectors, [words, dimensions], None before `fit` or `load`."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.fitted: Tensor | None = None

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        words, size = len(self.spec["words"]), self.settings.dimensions
        if size >= words:
            raise UserError(f"{words} words have no {size} singular vectors; lower 'dimensions'")
        pairs = cooccurrences(read_ids(data, "train", words), words, self.settings.window)
        matrix = positive_pmi(pairs, self.settings.context_power, self.settings.shift)
        self.fitted = torch.from_numpy(reduced(matrix, size, self.settings.value_power)).float()
        return []

    def vectors(self) -> NDArray[np.float64]:
        return self._fitted.double().numpy()

    def tensors(self) -> Mapping[str, Tensor]:
        return {"vectors": self._fitted}

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        shape = (len(self.spec["words"]), self.settings.dimensions)
        if tuple(tensors["vectors"].shape) != shape:
            raise RuntimeError(f"expected vectors of shape {shape}, "
                               f"got {tuple(tensors['vectors'].shape)}")
        self.fitted = tensors["vectors"]

    @property
    def parameters_count(self) -> int:
        return self._fitted.numel()

    @property
    def _fitted(self) -> Tensor:
        if self.fitted is None:
            raise UserError("the vectors have not been fitted; run the train stage")
        return self.fitted


def cooccurrences(ids: NDArray[np.integer[Any]], words: int, window: int) -> sparse.csr_array:
    """How often words stand near each other, weighted by nearness: symmetric, [words, words].

    The weight of distance d is the share of word2vec's random reaches that include it.
    """
    ids = np.asarray(ids)
    sentence = sentence_numbers(ids)
    total = sparse.csr_array((words, words), dtype=np.float64)
    for distance in range(1, window + 1):
        near = (sentence[:-distance] == sentence[distance:]) & (sentence[:-distance] >= 0)
        first, second = ids[:-distance][near], ids[distance:][near]
        weights = np.full(len(first), 1 - (distance - 1) / window)
        total += sparse.coo_array((weights, (first, second)), shape=(words, words)).tocsr()
    return total + total.T


def positive_pmi(pairs: sparse.csr_array, context_power: float, shift: float) -> sparse.csr_array:
    """max(0, log(p(w, c) / (p(w) p(c))) - log shift) of counts, p(c) smoothed by the power."""
    found = pairs.tocoo()
    row_sums = pairs.sum(1)
    contexts = pairs.sum(0) ** context_power
    contexts /= contexts.sum()
    values = np.log(found.data / (row_sums[found.row] * contexts[found.col])) - np.log(shift)
    positive = sparse.coo_array((np.maximum(values, 0), (found.row, found.col)), found.shape)
    positive.eliminate_zeros()
    return positive.tocsr()


def reduced(matrix: sparse.csr_array, dimensions: int, power: float) -> NDArray[np.float64]:
    """U S^power of the largest singular values, largest first; each column's largest entry > 0."""
    left, values, _ = svds(matrix, k=dimensions, v0=np.ones(matrix.shape[0]))
    order = np.argsort(-values)
    left, values = left[:, order], values[order]
    signs = np.sign(left[np.abs(left).argmax(0), np.arange(dimensions)])
    return left * signs * values**power
