"""Archives whose own bytes are not fixed: their members are checked, each by its SHA-256.

A forge packs a commit's files anew when somebody asks for them, and the packing changes with its
software (GitHub's did in January 2023) while the files stay. A checksum of such an archive is
worth nothing after that, so there is a listing of the members, and the checksum is the listing's.
The listing is a text that stands beside the code in the form of `sha256sum`, by which anybody can
check the corpus too; its own checksum stands in the code. So a change of either is noticed: an
altered listing is refused, and a new one alters the code, which makes a corpus's stages stale.

The listing says what a corpus consists of. A member that it does not name (the same data in another
format, a script) is nothing of the corpus and is never put in its folder. One that it names and
that is missing or other than it should be is named in the error, and nothing is given out.
"""

import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from pipeline.corpora.fetching.files import DOWNLOADS, PATIENCE, Patience, RemoteFile, obtain
from pipeline.corpora.fetching.unpack import _DAMAGE, _Budget, _tar_members, unpack
from pipeline.errors import UserError
from pipeline.storage.files import put_in_place, sha256
from pipeline.storage.lines import read_lines

__all__ = ["RemoteArchive", "place", "read_listing"]

_STAGING = ".archive"
_LISTED = re.compile(r"(?P<sha256>[0-9a-f]{64})  (?P<path>[^\\]+)")


@dataclass(frozen=True)
class RemoteArchive(RemoteFile):
    """A .tar.gz of one folder, of which the members in `listing` are wanted.

    `sha256` is that of the listing's lines, and what is checked of a copy is every member that it
    names. `path` is `TOP.tar.gz`, where TOP is the folder in the archive; in a corpus its place is
    `folder`, and the listing's paths are below it.
    """

    folder: str = field(kw_only=True)
    listing: Path = field(kw_only=True)

    @property
    def top(self) -> str:
        return self.name.removesuffix(".tar.gz")

    def members(self) -> dict[str, str]:
        """SHA-256 of each wanted member by its path. Raises UserError for an altered listing."""
        return read_listing(self.listing, self.sha256)

    def _difference(self, path: Path) -> str | None:
        wanted, met = self.members(), set[str]()
        try:
            for name, content in _files(path, self.top):
                if name in wanted:
                    if name in met:
                        return f"member {name} stands there twice"
                    met.add(name)
                    if (found := _digest(content)) != wanted[name]:
                        return f"member {name}: expected SHA-256 {wanted[name]}, got {found}"
        except UserError as error:
            return str(error)
        except _DAMAGE as error:
            return f"it is not a whole archive ({error})"
        missing = [name for name in wanted if name not in met]
        return f"it lacks {len(missing)} of {len(wanted)} members, first {missing[0]}" if (
            missing) else None


def place(archive: RemoteArchive, directory: Path, mirror: Path | None,
          downloads: Path = DOWNLOADS, patience: Patience = PATIENCE) -> None:
    """Put the archive's wanted members at `directory/archive.folder`, all of them or none.

    Nothing is fetched where all of them stand there whole; else what stands there is replaced.
    Raises UserError naming what cannot be had or written, why, and what to do.
    """
    wanted, target = archive.members(), directory / archive.folder
    if all(_is(target / name, digest) for name, digest in wanted.items()):
        return
    source, staging = obtain(archive, mirror, downloads, patience), directory / _STAGING
    shutil.rmtree(staging, ignore_errors=True)
    try:
        unpack(source, staging, archive.unpacked)
        for name in wanted:
            path = staging / "wanted" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            put_in_place(staging / archive.top / name, path)
        shutil.rmtree(target, ignore_errors=True)
        put_in_place(staging / "wanted", target)
    except OSError as error:
        raise UserError(f"{target} cannot be written ({error.strerror or error}); make room or "
                        "rights and run again") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def read_listing(path: Path, expected: str | None) -> dict[str, str]:
    """SHA-256 by path, from lines of `sha256sum`; `expected` is the SHA-256 of these lines.

    Raises UserError when the text is another one, and ValueError for lines of another form.
    """
    lines = read_lines(path)
    found = hashlib.sha256("".join(f"{line}\n" for line in lines).encode("utf-8")).hexdigest()
    if found != expected:
        raise UserError(f"{path}: expected SHA-256 {expected}, got {found}; the file is part of "
                        "the project and was altered: take it from there again")
    digests: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        match = _LISTED.fullmatch(line)
        name = PurePosixPath(match["path"]) if match else PurePosixPath("/")
        if match is None or name.is_absolute() or ".." in name.parts or str(name) in digests:
            raise ValueError(f"{path}, line {number}: no SHA-256 and new path below the corpus")
        digests[str(name)] = match["sha256"]
    return digests


def _files(archive: Path, top: str) -> Iterator[tuple[str, IO[bytes]]]:
    """The files below the folder `top` of an archive, each with its path below it."""
    for name, content in _tar_members(archive, _Budget(archive, None)):
        path = PurePosixPath(name)
        if content is not None and path.parts[:1] == (top,):
            yield str(path.relative_to(top)), content


def _digest(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := content.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest
