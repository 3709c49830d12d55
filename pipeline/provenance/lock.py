"""What dvc.lock says: the hashes of what each stage of a suite read and wrote.

DVC has hashed every output already, so nothing is read a second time to tell one version of data
from another. The format of the file is DVC's (schema 2.0); writing it is left to DVC.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.suite.places import Places


class Lock:
    """The dvc.lock of a suite; an absent one says nothing of any stage."""

    def __init__(self, places: Places) -> None:
        self._root = places.root
        self._stages = _read(places.lock)

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


def _read(path: Path) -> Mapping[str, Any]:
    from ruamel.yaml import YAML, YAMLError

    if not path.exists():
        return {}
    try:
        stages = YAML(typ="safe").load(path)["stages"]
        for stage in stages.values():
            for entry in (*stage.get("deps", ()), *stage.get("outs", ())):
                entry["path"]
        return stages
    except (YAMLError, KeyError, TypeError, AttributeError, UnicodeDecodeError):
        raise UserError(f"{path} is damaged; take the committed file back (git checkout -- "
                        f"{path}) and run again") from None
