"""Seals: whether what is read back is what was written, checked before a byte of it is used.

One flipped bit in a file of weights, or one changed digit in a file of settings, gives other
results and no error; dates and sizes, by which DVC tells files apart, stay the same. So a folder
that the project reads back has a file `seal.json` with the SHA-256 of every other file in it, and
a JSON file that stands alone carries a digest of its own content. `seal.json` is such a file, so a
damaged seal is found too.

A seal is written last: a folder that has one is whole. Files whose names begin with a dot belong to
file managers and version control, and to no seal.
"""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from pipeline.errors import UserError
from pipeline.storage.files import json_text, read_json, read_text, sha256, write_text
from pipeline.storage.shapes import shaped

SEAL = "seal.json"
_DIGEST = "digest"


class _Seal(TypedDict):
    files: dict[str, str]


def write_sealed(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON object, its keys as they stand, and last the digest of all of it."""
    write_text(path, _sealed(value))


def read_sealed(path: Path, remedy: str) -> dict[str, Any]:
    """Read what `write_sealed` wrote, without the digest.

    Raises UserError, which ends with `remedy`, when the file is missing or not the one written.
    """
    if not path.is_file():
        raise UserError(f"{path} does not exist; {remedy}")
    value = read_json(path)
    if not isinstance(value, dict) or value.pop(_DIGEST, None) is None or \
            _sealed(value) != read_text(path):
        raise UserError(f"{path} is damaged: it is not the file that was written; {remedy}")
    return value


def seal(folder: Path) -> None:
    """Write the seal of a folder that is complete."""
    write_sealed(folder / SEAL, {"files": {name: sha256(path) for name, path in _files(folder)}})


@contextlib.contextmanager
def sealing(*folders: Path) -> Iterator[None]:
    """Make the folders that the block fills; they are sealed when it ends without an error."""
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SEAL).unlink(missing_ok=True)
    yield
    for folder in folders:
        seal(folder)


def check_seal(folder: Path, remedy: str) -> None:
    """Check a folder against its seal.

    Raises UserError, which ends with `remedy`, naming the file that is missing, damaged or not of
    this folder.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} does not exist; {remedy}")
    if not (folder / SEAL).is_file():
        raise UserError(f"{folder} has no {SEAL}, so it is not whole, or another version wrote it; "
                        f"{remedy}")
    sealed = shaped(read_sealed(folder / SEAL, remedy), _Seal, str(folder / SEAL), remedy)["files"]
    found = dict(_files(folder))
    for name, digest in sealed.items():
        if name not in found:
            raise UserError(f"{folder / name} is missing; {remedy}")
        if _digest(found[name], remedy) != digest:
            raise UserError(f"{folder / name} is damaged: it is not the file that was written; "
                            f"{remedy}")
    for name in sorted(found.keys() - sealed.keys()):
        raise UserError(f"{folder / name} is a file that the folder's {SEAL} does not name; remove "
                        f"it, or {remedy}")


def _sealed(value: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(json_text(value, in_order=True).encode("utf-8")).hexdigest()
    return json_text({**value, _DIGEST: digest}, in_order=True)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Names, from the folder on, and paths of the files that a seal is about, in names' order."""
    found = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    for name, path in sorted(found.items()):
        if name != Path(SEAL) and not any(part.startswith(".") for part in name.parts):
            yield name.as_posix(), path


def _digest(path: Path, remedy: str) -> str:
    try:
        return sha256(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); {remedy}") from None
