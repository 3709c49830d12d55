"""Archives unpacked whole or not at all, and never outside their folder.

An archive is data from a stranger: a member may be named `../../.bashrc` or be a link through which
a later member is written elsewhere. Corpora need plain files and folders only, so everything else
is refused, which holds on every Python (the filters of `tarfile` came with 3.11.4 and have been
bypassed since). Members are written into a folder beside their place and renamed; a record of all
files and sizes comes last, so that a half-extraction is never taken for a whole one.
"""

import gzip
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, cast

from pipeline.errors import UserError
from pipeline.storage.files import atomic_writer, put_in_place, read_json, sha256, write_json

STAGING = ".unpacking"
RECORDS = ".unpacked"

# A member: its name in the archive, and its content (None for a folder).
Member = tuple[str, IO[bytes] | None]


def unpack(archive: Path, directory: Path) -> None:
    """Unpack a .tar.gz, .tgz, .zip or .gz into `directory`, beside what lies there.

    Does nothing when this very archive (by SHA-256) was unpacked here and all its files still
    have their sizes. Raises UserError when the archive is damaged or has a member that would
    leave the folder; `directory` is then as it was before.
    """
    record = directory / RECORDS / f"{sha256(archive)}.json"
    if _is_whole(record, directory):
        return
    staging = directory / STAGING
    shutil.rmtree(staging, ignore_errors=True)
    try:
        sizes = _extract(archive, staging)
        _merge(staging, directory)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    write_json(record, sizes)


def _is_whole(record: Path, directory: Path) -> bool:
    if not record.exists():
        return False
    return all((directory / name).is_file() and (directory / name).stat().st_size == size
               for name, size in read_json(record).items())


def _extract(archive: Path, staging: Path) -> dict[str, int]:
    """Write all members below `staging`; return the size of each file by its relative path."""
    staging.mkdir(parents=True)
    sizes: dict[str, int] = {}
    try:
        for name, content in _reader(archive)(archive):
            path = _safe(archive, name)
            target = staging / path
            if content is None:
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with atomic_writer(target, durable=False) as file:
                shutil.copyfileobj(content, file, 1 << 20)
            sizes[str(path)] = target.stat().st_size
    except (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError,
            NotADirectoryError, IsADirectoryError, FileExistsError) as error:
        raise UserError(f"{archive} is not a whole archive ({error}); remove it and fetch it "
                        "again") from None
    return sizes


def _reader(archive: Path) -> Callable[[Path], Iterator[Member]]:
    if archive.name.endswith((".tar.gz", ".tgz")):
        return _tar_members
    if archive.suffix == ".zip":
        return _zip_members
    if archive.suffix == ".gz":
        return _gzip_member
    raise UserError(f"{archive}: cannot unpack this kind of file; .tar.gz, .tgz, .zip and .gz "
                    "are known")


def _tar_members(archive: Path) -> Iterator[Member]:
    # tarfile's own reading of gzip passes over the checksum at the end of the stream.
    with gzip.open(archive) as stream:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                if member.isdir():
                    yield member.name, None
                elif member.isreg():
                    yield member.name, tar.extractfile(member)
                else:
                    raise _refusal(archive, member.name, "is a link or a device")
        while stream.read(1 << 20):
            pass


def _zip_members(archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as packed:
        for member in packed.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refusal(archive, member.filename, "is a link or a device")
            if member.is_dir():
                yield member.filename, None
            else:
                with packed.open(member) as content:
                    yield member.filename, content


def _gzip_member(archive: Path) -> Iterator[Member]:
    if archive.stat().st_size == 0:
        raise EOFError("no bytes at all")
    with gzip.open(archive) as content:
        yield archive.stem, cast(IO[bytes], content)


def _safe(archive: Path, name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        raise _refusal(archive, name, "would leave the folder that it is unpacked into")
    if path.parts[:1] in ((STAGING,), (RECORDS,)):
        raise _refusal(archive, name, "has a name that is kept for bookkeeping")
    return path


def _refusal(archive: Path, member: str, reason: str) -> UserError:
    return UserError(f"{archive}: member {member!r} {reason}; nothing was unpacked. Get the "
                     "archive from its publisher again")


def _merge(source: Path, target: Path) -> None:
    """Move a tree onto another one: folders are joined, files replaced."""
    for entry in sorted(source.iterdir()):
        place = target / entry.name
        if entry.is_dir() and place.is_dir():
            _merge(entry, place)
        else:
            put_in_place(entry, place)
