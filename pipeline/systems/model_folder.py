"""A trained system as a folder of files that says by itself what it is and whether it is whole.

    weights.safetensors   everything that training found and that is numbers
    texts.json            everything that it found and that is text
    artefacts/            what the features stage left for whoever reads raw input: tokenizers, say
    system.json           format, task, settings and spec
    record.json           how many parameters, the precision of a network's training and its
                          learning curve; where a stage has trained it
    seal.json             the SHA-256 of every file above, checked before one of them is used
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor
from typing_extensions import TypedDict

from pipeline.entries import Precision
from pipeline.errors import UserError
from pipeline.storage.artefacts import ARTEFACTS
from pipeline.storage.files import copy_folder, write_bytes, write_json
from pipeline.storage.seal import check_seal
from pipeline.storage.shapes import read_shaped

FORMAT = 2
AGAIN = "train the system again, or copy all of its folder again"
TRAINING = "record.json"
WEIGHTS = "weights.safetensors"
_RECORD, _TEXTS = "system.json", "texts.json"


class SystemRecord(TypedDict):
    """`system.json`."""

    format: int
    task: str
    settings: dict[str, Any]
    spec: dict[str, Any]


class Training(TypedDict):
    """`record.json`, which the train stage adds.

    `precision` is that of a training by gradient descent; no other has one.
    """

    parameters: int
    precision: Precision | None
    curve: list[dict[str, float]]


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
    """Write a system into `directory`, what is there of an older one aside; its caller seals it."""
    _copy(artefacts, directory / ARTEFACTS)
    write_bytes(directory / WEIGHTS, save({name: tensor.detach().cpu().contiguous().clone()
                                           for name, tensor in tensors.items()}))
    write_json(directory / _TEXTS, dict(texts))
    # In order, because the first variant is how a system answers unless told otherwise.
    write_json(directory / _RECORD,
               {"format": FORMAT, "task": task, "settings": settings, "spec": spec}, in_order=True)


def read_record(directory: Path) -> SystemRecord:
    """`system.json` of a model folder, which is checked against its seal.

    Raises UserError for what is no model folder, and naming the file that is missing or is not the
    one that was saved.
    """
    if not (directory / _RECORD).is_file():
        raise UserError(f"{directory} is no trained system: it has no {_RECORD}")
    check_seal(directory, AGAIN)
    record = read_shaped(directory / _RECORD, SystemRecord, AGAIN)
    if record["format"] != FORMAT:
        raise UserError(f"{directory / _RECORD} has format {record['format']}, and this version "
                        f"reads format {FORMAT}; train the system again")
    return record


def read_training(directory: Path) -> Training:
    """`record.json` of a model folder whose seal was checked. Raises UserError."""
    return read_shaped(directory / TRAINING, Training, AGAIN)


def read(directory: Path) -> Saved:
    """Read and check a model folder.

    Raises UserError naming the file that is missing, is not the one that was saved, or holds NaN.
    """
    record = read_record(directory)
    try:
        tensors = load_file(directory / WEIGHTS)
    except (SafetensorError, FileNotFoundError) as error:
        raise UserError(f"{directory / WEIGHTS} is missing or damaged ({error}); {AGAIN}"
                        ) from None
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and torch.isnan(tensor).any():
            raise UserError(f"{directory / WEIGHTS}: {name} holds values that are no numbers; "
                            "train the system again")
    return Saved(record["settings"], record["spec"], tensors,
                 read_shaped(directory / _TEXTS, dict[str, Any], AGAIN))


def _copy(artefacts: Path | None, place: Path) -> None:
    """Make `place` a copy of the folder, which may be that place already."""
    if artefacts is not None and artefacts.resolve() == place.resolve():
        return
    shutil.rmtree(place, ignore_errors=True)
    if artefacts is not None and artefacts.is_dir():
        copy_folder(artefacts, place)
