"""Linear classifiers of a bag of words, blind to order: the baselines of sentence classification.

A sentence is the set of its words and, with `ngrams` above 1, of its word pairs and triples; sets
do better than counts (Pang, Lee and Vaithyanathan 2002; Wang and Manning 2012). Rare n-grams can be
left out. Three estimators, each a row: the most frequent class, multinomial naive Bayes, and
logistic regression.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import log_softmax
from torch import Tensor

from pipeline.entries import SystemSettings, VariantSettings
from pipeline.errors import UserError
from pipeline.storage.arrays import read_array
from pipeline.storage.predictions import Prediction
from pipeline.storage.sequences import Sequences
from pipeline.systems.base import Run, System
from pipeline.tasks.sentence.shared.answers import answers

_Linear = tuple[NDArray[np.float64], NDArray[np.float64]]  # weights [n-grams, labels], bias


class MostFrequent(VariantSettings):
    """Every sentence has the probabilities of the labels in the training split."""

    estimator: Literal["most_frequent"]


class NaiveBayes(VariantSettings):
    """p(label) prod p(n-gram | label)."""

    estimator: Literal["naive_bayes"]
    smoothing: float = Field(gt=0, description="added to every count")


class Logistic(VariantSettings):
    """Multinomial logistic regression with a penalty on the weights."""

    estimator: Literal["logistic"]
    penalty: float = Field(gt=0, description="half of it times the squared weights is added to "
                                             "the summed loss")


Variant = Annotated[MostFrequent | NaiveBayes | Logistic, Field(discriminator="estimator")]


class Settings(SystemSettings):
    """A bag-of-words entry of `systems`."""

    ngrams: int = Field(ge=1, le=3, description="words of the longest n-gram")
    min_count: int = Field(ge=1, description="training sentences that an n-gram must stand in")
    variants: dict[str, Variant] = Field(min_length=1)


class BagOfWords(System):
    """`keys` are the known n-grams, in order; `linear` has a classifier for each variant."""

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.keys = np.zeros(0, np.int64)
        self.linear: dict[str, _Linear] = {}

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        sentences = Sequences(data, "train")
        labels = np.eye(len(self.spec["labels"]))[read_array(data / "train.labels.npy")]
        self.keys = self._frequent(sentences)
        bag = self.bag(sentences)
        self.linear = {name: _estimate(variant, bag, labels)
                       for name, variant in self.settings.variants.items()}
        return []

    def predict(self, data: Path, variant: Variant) -> Iterator[Prediction]:
        name = next((name for name, known in self.settings.variants.items() if known == variant),
                    None)
        if name not in self.linear:
            raise UserError("the bag of words has not been fitted with this variant; run its "
                            "train stage")
        weights, bias = self.linear[name]
        scores = self.bag(Sequences(data, "test")) @ weights + bias
        return answers(np.exp(log_softmax(scores, axis=1)), self.spec["labels"], data)

    def _frequent(self, sentences: Sequences) -> NDArray[np.int64]:
        """Keys of the n-grams that enough of the training `sentences` have, in order."""
        found = np.unique(np.stack(self._grams(sentences)), axis=1)
        keys, counts = np.unique(found[1], return_counts=True)
        kept: NDArray[np.int64] = keys[counts >= self.settings.min_count]
        if not len(kept):
            raise UserError(f"no n-gram stands in {self.settings.min_count} training sentences; "
                            "lower min_count")
        return kept

    def bag(self, sentences: Sequences) -> csr_array:
        """Which of the known n-grams each sentence has, 0 or 1, shape [sentences, n-grams]."""
        rows, keys = self._grams(sentences)
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = self.keys[places] == keys
        cells = np.unique(np.stack([rows[known], places[known]]), axis=1)
        return csr_array((np.ones(cells.shape[1]), (cells[0], cells[1])),
                         shape=(len(sentences), len(self.keys)))

    def _grams(self, sentences: Sequences) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row and key of every n-gram; the key writes its words, from 1, as digits."""
        base = len(self.spec["words"]) + 1
        digits = sentences.rows.astype(np.int64) + 1
        row = np.repeat(np.arange(len(sentences)), sentences.lengths)
        left = sentences.offsets[1:][row] - np.arange(len(digits))  # words from here to the end
        rows, keys = [], []
        for size in range(1, self.settings.ngrams + 1):
            found = sum(np.roll(digits, -place) * base ** (size - 1 - place)
                        for place in range(size))
            rows.append(row[left >= size])
            keys.append(found[left >= size])
        return np.concatenate(rows), np.concatenate(keys)

    def tensors(self) -> Mapping[str, Tensor]:
        arrays: dict[str, NDArray[Any]] = {"keys": self.keys}
        for name, (weights, bias) in self.linear.items():
            arrays |= {f"{name}.weights": weights, f"{name}.bias": bias}
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        self.keys = tensors["keys"].numpy()
        self.linear = {name: (tensors[f"{name}.weights"].numpy(), tensors[f"{name}.bias"].numpy())
                       for name in self.settings.variants}

    @property
    def parameters_count(self) -> int:
        """Weights and biases of one linear classifier."""
        return (len(self.keys) + 1) * len(self.spec["labels"])


def _estimate(variant: Variant, bag: csr_array, labels: NDArray[np.float64]) -> _Linear:
    """Weights and bias from `bag` [sentences, n-grams] and one-hot `labels` [sentences, labels]."""
    prior = np.log(labels.mean(axis=0))
    if isinstance(variant, MostFrequent):
        return np.zeros((bag.shape[1], labels.shape[1])), prior
    if isinstance(variant, NaiveBayes):
        counts = bag.T @ labels + variant.smoothing
        return np.log(counts / counts.sum(axis=0)), prior
    return _logistic(bag, labels, variant.penalty)


def _logistic(bag: csr_array, labels: NDArray[np.float64], penalty: float) -> _Linear:
    """The one minimum of the summed cross entropy plus penalty / 2 times the squared weights."""
    shape = (bag.shape[1] + 1, labels.shape[1])

    def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, bias = flat.reshape(shape)[:-1], flat.reshape(shape)[-1]
        logs = log_softmax(bag @ weights + bias, axis=1)
        excess = np.exp(logs) - labels
        gradient = np.vstack([bag.T @ excess + penalty * weights, excess.sum(axis=0)])
        return (-(labels * logs).sum() + penalty / 2 * (weights**2).sum(), gradient.ravel())

    found = minimize(objective, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B",
                     options={"maxiter": 1000, "ftol": 1e-10, "gtol": 1e-4})
    table = found.x.reshape(shape)
    return table[:-1].copy(), table[-1].copy()
