"""Series of many lengths in two arrays: their points end to end, and where each begins."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.storage.files import atomic_writer, read_json, write_json

Array = NDArray[np.float64]


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


def fingerprint(ids: Sequence[str]) -> str:
    """Digest of the series' ids and order, by which a fitted system knows its own series."""
    return hashlib.sha256("\n".join(ids).encode("utf-8")).hexdigest()


def check_series(spec: dict[str, Any], directory: Path) -> list[str]:
    """The test folder's ids. Raises UserError unless they are those that a system was fitted on."""
    ids = load_ids(directory)
    if fingerprint(ids) != spec["ids"]:
        raise UserError(f"{directory} holds other series than the system was fitted on; "
                        "train the system on this corpus first")
    return ids
