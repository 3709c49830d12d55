"""Series of many lengths in two arrays: their points end to end, and where each begins."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.storage.files import atomic_writer, read_json, write_json

Array = NDArray[np.float64]

_DIGEST = 16  # hexadecimal digits; two of 100,000 series agree by chance once in 10^9 corpora


def save_array(path: Path, array: NDArray) -> None:
    with atomic_writer(path) as file:
        np.save(file, array, allow_pickle=False)


def load_array(path: Path) -> NDArray:
    return np.load(path, mmap_mode="r", allow_pickle=False)


def save_pasts(directory: Path, ids: Sequence[str], pasts: Sequence[Array]) -> None:
    """Write points.npy [total], offsets.npy [series + 1] and ids.json."""
    save_array(directory / "points.npy", np.concatenate(pasts))
    save_array(directory / "offsets.npy", np.cumsum([0, *map(len, pasts)]))
    write_json(directory / "ids.json", list(ids))


def load_pasts(directory: Path) -> list[Array]:
    """The past of each series, in the order of ids.json."""
    points = load_array(directory / "points.npy")
    offsets = load_array(directory / "offsets.npy")
    return [points[start:end] for start, end in zip(offsets[:-1], offsets[1:], strict=True)]


def load_ids(directory: Path) -> list[str]:
    return read_json(directory / "ids.json")


def save_places(directory: Path, places: Sequence[Sequence[str]]) -> None:
    """Write where each value of each series stands in its file, as errors call that place."""
    write_json(directory / "places.json", places)


def load_places(directory: Path) -> list[list[str]] | None:
    """What `save_places` wrote; None where values stand in no file of a user."""
    path = directory / "places.json"
    return read_json(path) if path.exists() else None


def fingerprints(pasts: Sequence[Array]) -> list[str]:
    """Digest of each past, by which a fitted system knows those that it was fitted on."""
    return [hashlib.sha256(np.ascontiguousarray(past, "<f8").tobytes()).hexdigest()[:_DIGEST]
            for past in pasts]
