"""Baselines that say a sentence of the training split, as it is.

The most frequent one, whatever the picture; or one about the pictures that look most alike, by
colour at each place or by how much there is of each colour anywhere. Among the sentences about
several pictures the one is said that most resembles the others, their consensus (Devlin et al.
2015, "Exploring Nearest Neighbor Approaches for Image Captioning").
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from scipy.sparse import csr_array
from torch import Tensor

from pipeline.entries import SystemSettings, VariantSettings
from pipeline.storage.arrays import read_array
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Prediction
from pipeline.storage.sequences import Sequences
from pipeline.systems.base import Run, System
from pipeline.tasks.caption.shared.words import EOS, PAD

PICTURES_AT_ONCE = 64


class Frequent(VariantSettings):
    """The most frequent sentence, the first of them in the split among equals."""

    method: Literal["frequent"]


class Nearest(VariantSettings):
    """A sentence about the nearest pictures in a space."""

    method: Literal["nearest"]
    space: Literal["pixels", "colours"]
    neighbours: int = Field(ge=1)


class Settings(SystemSettings):
    """An entry of `systems`."""

    cells: int = Field(ge=1, le=8, description="a picture is averaged to cells x cells pixels")
    bins: int = Field(ge=2, le=16, description="of each channel of the colour histogram")
    variants: dict[str, Annotated[Frequent | Nearest, Field(discriminator="method")]] = Field(
        min_length=1)


class Retrieval(System):
    """Keeps `pixels` [P, cells^2 3] and `colours` [P, bins^3] of P pictures and their sentences.

    `sentences` [S, words] are padded, and `of` [S] says which picture each is about.
    """

    settings: Settings

    def __init__(self, settings: Settings, spec: dict[str, Any]) -> None:
        super().__init__(settings, spec)
        self.found: dict[str, NDArray] = {}

    def fit(self, data: Path, run: Run) -> list[dict[str, float]]:
        sentences = Sequences(data, "train.sentences")
        first = read_array(data / "train.first.npy")
        pixels, colours = self._described(data / "train.pictures.npy")
        self.found = {
            "pixels": pixels, "colours": colours,
            "sentences": sentences.padded(np.arange(len(sentences)), PAD)[0].astype(np.int32),
            "of": np.repeat(np.arange(len(first) - 1), np.diff(first))}
        return []

    def predict(self, data: Path, variant: Frequent | Nearest) -> Iterator[Prediction]:
        items = read_json(data / "items.json")
        if isinstance(variant, Frequent):
            said = np.full(len(items), self._most_frequent())
        else:
            place = ["pixels", "colours"].index(variant.space)
            wanted = self._described(data / "test.pictures.npy")[place]
            nearest = _nearest(wanted, self.found[variant.space], variant.neighbours)
            said = self._consensus(nearest)
        for item, sentence in zip(items, self.found["sentences"][said], strict=True):
            words = sentence[: sentence.tolist().index(EOS)]
            yield {"id": item["id"], "sentence": " ".join(self.spec["words"][w] for w in words)}

    def _described(self, path: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """`pixels` and `colours` of the pictures in a file, in parts."""
        pictures = read_array(path)
        parts = [(_averaged(part, self.settings.cells), _histogram(part, self.settings.bins))
                 for start in range(0, len(pictures), PICTURES_AT_ONCE)
                 for part in [pictures[start : start + PICTURES_AT_ONCE]]]
        pixels, colours = (np.concatenate(part) for part in zip(*parts, strict=True))
        return pixels, colours

    def _most_frequent(self) -> int:
        _, first, counts = np.unique(self.found["sentences"], axis=0, return_index=True,
                                     return_counts=True)
        return int(first[counts == counts.max()].min())

    def _consensus(self, nearest: NDArray[np.int64]) -> NDArray[np.int64]:
        """For each row of pictures the sentence that resembles most the sentences about them."""
        pairs = _word_pairs(self.found["sentences"])
        said = []
        for pictures in nearest:
            candidates = np.flatnonzero(np.isin(self.found["of"], pictures))
            alike = (pairs[candidates] @ pairs[candidates].T).sum(axis=1)
            said.append(candidates[int(np.argmax(alike))])
        return np.array(said)

    def tensors(self) -> Mapping[str, Tensor]:
        return {name: torch.from_numpy(array) for name, array in self.found.items()}

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        self.found = {name: tensors[name].numpy()
                      for name in ("pixels", "colours", "sentences", "of")}

    @property
    def parameters_count(self) -> int:
        """Numbers that are kept of the pictures."""
        return self.found["pixels"].size + self.found["colours"].size


def _averaged(pictures: NDArray[np.uint8], cells: int) -> NDArray[np.float32]:
    """Mean colours, 0 to 1, of cells x cells parts of each picture [B, side, side, 3], flat."""
    edges = np.linspace(0, pictures.shape[1], cells + 1).round().astype(np.int64)[:-1]
    sums = np.add.reduceat(np.add.reduceat(pictures, edges, 1, np.float32), edges, 2)
    sizes = np.diff([*edges, pictures.shape[1]]).astype(np.float32)
    averages: NDArray[np.float32] = np.asarray(
        sums / (255 * np.outer(sizes, sizes)[:, :, None]), np.float32)
    return averages.reshape(len(pictures), -1)


def _histogram(pictures: NDArray[np.uint8], bins: int) -> NDArray[np.float32]:
    """Square root of the share of each colour, so that distances are Hellinger's; [B, bins^3]."""
    levels = pictures.astype(np.int64) * bins // 256
    colours = (levels @ np.array([bins**2, bins, 1])).reshape(len(pictures), -1)
    counts = np.stack([np.bincount(row, minlength=bins**3) for row in colours])
    return np.sqrt(counts / colours.shape[1]).astype(np.float32)


def _nearest(wanted: NDArray[np.float32], known: NDArray[np.float32],
             count: int) -> NDArray[np.int64]:
    """Rows of the `count` nearest `known` [P, D] of each of `wanted` [B, D], nearest first.

    Each of `wanted` has a product of its own: in one of all, its rounding would depend on the rest.
    """
    lengths = (known**2).sum(axis=1)
    return np.stack([np.argsort(lengths - 2 * (known @ row), kind="stable")[:count]
                     for row in wanted])


def _word_pairs(sentences: NDArray[np.int32]) -> csr_array:
    """Which pairs of neighbouring words each sentence has, rows of length 1, [S, pairs]."""
    ahead = np.pad(sentences, ((0, 0), (0, 1)), constant_values=PAD)[:, 1:]
    rows, columns = np.nonzero((sentences != PAD) & (sentences != EOS))
    keys = sentences[rows, columns].astype(np.int64) * (sentences.max() + 1) + ahead[rows, columns]
    _, numbers = np.unique(keys, return_inverse=True)
    cells = np.unique(np.stack([rows, numbers]), axis=1)
    weights = 1 / np.sqrt(np.bincount(cells[0], minlength=len(sentences)))[cells[0]]
    return csr_array((weights, (cells[0], cells[1])), shape=(len(sentences), numbers.max() + 1))
