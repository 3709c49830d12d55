"""A trained system as a folder of files that says by itself what it is and whether it is whole.

    weights.safetensors   everything that training found and that is numbers
    texts.json            everything that it found and that is text
    artefacts/            what the features stage left for whoever reads raw input: tokenizers, say
    system.json           format, task, settings, spec, and the SHA-256 of every file above

One flipped bit in a file of weights gives other weights and no error, so a digest is checked before
a file is used.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from pipeline.errors import UserError
from pipeline.storage.artefacts import ARTEFACTS
from pipeline.storage.files import copy_folder, read_json, sha256, write_bytes, write_json

FORMAT = 1
_RECORD, _WEIGHTS, _TEXTS = "system.json", "weights.safetensors", "texts.json"


@dataclass(frozen=True)
class Saved:
    """What the files of a model folder say."""

    settings: dict[str, Any]
    spec: dict[str, Any]
    tensors: dict[str, Tensor]
    texts: dict[str, Any]


def write(directory: Path, task: str, settings: dict[str, Any], spec: dict[str, Any],
          tensors: Mapping[str, Tensor], texts: Mapping[str, Any],
          artefacts: Path | None = None) -> None:
    """Write a system into `directory`, what is there of an older one aside."""
    directory.mkdir(parents=True, exist_ok=True)
    _copy(artefacts, directory / ARTEFACTS)
    write_bytes(directory / _WEIGHTS, save({name: tensor.detach().cpu().contiguous().clone()
                                            for name, tensor in tensors.items()}))
    write_json(directory / _TEXTS, dict(texts))
    write_json(directory / _RECORD, {
        "format": FORMAT, "task": task, "settings": settings, "spec": spec,
        "files": {path.relative_to(directory).as_posix(): sha256(path)
                  for path in _files(directory)}})


def read_record(directory: Path) -> dict[str, Any]:
    """`system.json` of a model folder. Raises UserError for what is none."""
    if not (directory / _RECORD).is_file():
        raise UserError(f"{directory} is no trained system: it has no {_RECORD}")
    record = read_json(directory / _RECORD)
    wanted = {"format": int, "task": str, "settings": dict, "spec": dict, "files": dict}
    if not isinstance(record, dict) or any(
            not isinstance(record.get(name), kind) for name, kind in wanted.items()) or not (
            {_WEIGHTS, _TEXTS} <= set(record["files"])):
        raise UserError(f"{directory / _RECORD} does not have the form of a saved system; "
                        "train the system again")
    if record["format"] != FORMAT:
        raise UserError(f"{directory / _RECORD} has format {record['format']}, and this version "
                        f"reads format {FORMAT}; train the system again")
    return record


def read(directory: Path) -> Saved:
    """Read and check a model folder.

    Raises UserError naming the file that is missing, is not the one that was saved, or holds NaN.
    """
    record = read_record(directory)
    for name, digest in record["files"].items():
        path = directory / name
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise UserError(f"{directory / _RECORD} names {name!r}, which is outside its folder; "
                            "train the system again")
        if not path.is_file():
            raise UserError(f"{path} is missing; train the system again or copy all of its folder")
        if sha256(path) != digest:
            raise UserError(f"{path} is damaged: it is not the file that was saved; train the "
                            "system again or copy it again")
    try:
        tensors = load_file(directory / _WEIGHTS)
    except (SafetensorError, FileNotFoundError) as error:
        raise UserError(f"{directory / _WEIGHTS} is missing or damaged ({error}); train the "
                        "system again") from None
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and torch.isnan(tensor).any():
            raise UserError(f"{directory / _WEIGHTS}: {name} holds values that are no numbers; "
                            "train the system again")
    return Saved(record["settings"], record["spec"], tensors, read_json(directory / _TEXTS))


def _copy(artefacts: Path | None, place: Path) -> None:
    """Make `place` a copy of the folder, which may be that place already."""
    if artefacts is not None and artefacts.resolve() == place.resolve():
        return
    shutil.rmtree(place, ignore_errors=True)
    if artefacts is not None and artefacts.is_dir():
        copy_folder(artefacts, place)


def _files(directory: Path) -> Iterator[Path]:
    yield directory / _WEIGHTS
    yield directory / _TEXTS
    yield from sorted(path for path in (directory / ARTEFACTS).rglob("*") if path.is_file())
