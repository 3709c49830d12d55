"""What dvc.lock says: the hashes of what each stage of a suite read and wrote.

DVC has hashed every output already, so nothing is read a second time to tell one version of data
from another. The format of the file is DVC's (schema 2.0); writing it is left to DVC.
"""

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import UserError
from pipeline.suite.places import Places

# In seconds: a file that has not changed for so long is not being written, and one that is changes
# within so short a time.
_WRITING, _PATIENCE = 2.0, 0.3


class Lock:
    """The dvc.lock of a suite; an absent one says nothing of any stage."""

    def __init__(self, places: Places) -> None:
        self._root = places.root
        self._stages = read_lock(places.lock)

    def entry(self, stage: str, kind: str, path: Path) -> Mapping[str, Any]:
        """What the lock says of `path` among a stage's 'deps' or 'outs'; empty for nothing."""
        name = path.relative_to(self._root).as_posix()
        for entry in self._stages.get(stage, {}).get(kind, []):
            if entry["path"] == name:
                return entry
        return {}

    def digest(self, stage: str, kind: str, path: Path) -> str | None:
        """The MD5 that the lock has of `path`."""
        return self.entry(stage, kind, path).get("md5")

    def entries(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Everything that the lock says of files: stage, 'deps' or 'outs', and the entry."""
        for stage, content in self._stages.items():
            for kind in ("deps", "outs"):
                yield from ((stage, kind, entry) for entry in content.get(kind, []))

    def stages(self) -> Mapping[str, Mapping[str, Any]]:
        """Everything that the lock says of each stage: `cmd`, `deps`, `outs`."""
        return self._stages

    def wrote(self, stage: str, path: Path) -> bool:
        """Whether the file has exactly the content that the stage wrote."""
        return path.is_file() and self.digest(stage, "outs", path) == _md5(path)

    def read(self, stage: str, path: Path) -> bool:
        """Whether the file has exactly the content that the stage read."""
        return path.is_file() and self.digest(stage, "deps", path) == _md5(path)

    def folder(self, stage: str, path: Path) -> str:
        """DVC's hash of a folder that a stage has written.

        It is the recorded one when the folder has as many files and bytes as were recorded, and is
        computed from the files when it has not, or when nothing was recorded. Raises UserError
        when there is no such folder.
        """
        if not path.is_dir():
            raise UserError(f"{path} does not exist; run the stage that writes it, {stage}")
        recorded = self.entry(stage, "outs", path)
        files = [file for file in path.rglob("*") if file.is_file()]
        extent = len(files), sum(file.stat().st_size for file in files)
        if (recorded.get("nfiles"), recorded.get("size")) == extent:
            return recorded["md5"]
        return folder_hash(path)


def folder_hash(folder: Path) -> str:
    """The hash that DVC gives a folder: that of the list of its files and their hashes."""
    files = {file.relative_to(folder).as_posix(): file
             for file in folder.rglob("*") if file.is_file()}
    listing = [{"md5": _md5(file), "relpath": name} for name, file in sorted(files.items())]
    text = json.dumps(listing, sort_keys=True)
    return f"{hashlib.md5(text.encode('utf-8'), usedforsecurity=False).hexdigest()}.dir"


def content_hash(path: Path) -> str:
    """The hash that DVC gives a file or a folder."""
    return folder_hash(path) if path.is_dir() else _md5(path)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(
            file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def read_lock(path: Path) -> Mapping[str, Any]:
    """The stages of a dvc.lock by name; none when it is absent.

    DVC writes the file in place. So one that is not whole is read again while it changes; where it
    stays so, a `dvc repro` was killed at that moment, or git has merged two into one that is
    neither. Raises UserError for a file that is not one that DVC has written whole.
    """
    while path.exists():
        before = path.stat()
        try:
            return _read_once(path)
        except UserError:
            if time.time() - before.st_mtime > _WRITING:
                raise
            time.sleep(_PATIENCE)
            if path.exists() and _same(path.stat(), before):
                raise
    return {}


def _same(now: os.stat_result, before: os.stat_result) -> bool:
    return (now.st_mtime_ns, now.st_size, now.st_ino) == (
        before.st_mtime_ns, before.st_size, before.st_ino)


def _read_once(path: Path) -> Mapping[str, Any]:
    from ruamel.yaml import YAML, YAMLError

    try:
        text = path.read_text("utf-8")
        data = YAML(typ="safe").load(text)
        _File.model_validate(data)
    except FileNotFoundError:
        return {}
    except IsADirectoryError:
        raise _damaged(path, "a folder") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise _damaged(path, f"{place}: {first['msg'].lower()}" if place else "not a lock's text"
                       ) from None
    except UnicodeDecodeError:
        raise _damaged(path, "not text in UTF-8") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise _damaged(path, _where(error, text)) from None
    return data["stages"]


class _Part(BaseModel):
    """A part of the file that has what DVC writes there for this project, and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True)


class _Known(_Part):
    """A file or folder that a stage has read or written."""

    path: str
    hash: Literal["md5"]
    md5: str = Field(pattern=r"^[0-9a-f]{32}(\.dir)?$")
    size: int = Field(default=0, ge=0)
    nfiles: int = Field(default=0, ge=0)
    isexec: bool = False


class _Absent(_Part):
    """One that was not there when it was recorded, as `dvc commit --allow-missing` lets it."""

    path: str
    hash: Literal["md5"] = "md5"


class _Stage(_Part):
    cmd: str | list[str]
    deps: list[_Known | _Absent] = []
    params: dict[str, dict[str, Any]] = {}
    outs: list[_Known | _Absent] = []


class _File(_Part):
    schema_: Literal["2.0"] = Field(alias="schema")
    stages: dict[str, _Stage]


def _where(error: Exception, text: str) -> str:
    if mark := re.search(r"^(<{7}|={7}|>{7})( |$)", text, re.MULTILINE):
        line = text.count("\n", 0, mark.start()) + 1
        return f"line {line} is a mark of two versions that git could not merge"
    position = getattr(error, "problem_mark", None)
    return f"line {position.line + 1} is no YAML" if position else "no YAML"


def _damaged(path: Path, how: str) -> UserError:
    return UserError(f"{path} is damaged ({how}); take the committed file back (git checkout -- "
                     f"{path}), or remove it where none is committed, and run again: what had been "
                     "done is in DVC's cache and is not done twice")
