"""Archives unpacked whole or not at all, never outside their folder and never without end.

An archive is data from a stranger: a member may be named `../../.bashrc`, or be a link through
which a later member is written elsewhere, and a few bytes may stand for a full disk. Corpora need
plain files and folders only, so everything else is refused, which holds on every Python (the
filters of `tarfile` came with 3.11.4 and have been bypassed since). Decompression ends at the size
that is known, or else at what no corpus exceeds. Members are written into a folder beside their
place and renamed; a record of all files and sizes comes last, so that a half-extraction is never
taken for a whole one.
"""

import gzip
import lzma
import shutil
import stat
import struct
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
TIMES, AT_LEAST = 20, 2**26  # what decompression of an archive of unknown content may give, bytes

_BLOCK = 1 << 20
_DAMAGE = (tarfile.TarError, zipfile.BadZipFile, zipfile.LargeZipFile, gzip.BadGzipFile, zlib.error,
           lzma.LZMAError, EOFError, struct.error, ValueError, OverflowError)

# A member: its name in the archive, and its content (None for a folder).
Member = tuple[str, IO[bytes] | None]


class _Budget:
    """How many bytes may still come out of an archive."""

    def __init__(self, archive: Path, size: int | None) -> None:
        self.archive = archive
        self.all = archive.stat().st_size * TIMES + AT_LEAST if size is None else size
        self.left = self.all

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise UserError(f"{self.archive} gives more than {self.all} bytes, which this archive "
                            "should not; nothing was unpacked. Get it from its publisher again")


class _Bounded:
    """A decompressed stream that ends in an error where the budget does."""

    def __init__(self, stream: IO[bytes], budget: _Budget) -> None:
        self.stream = stream
        self.budget = budget

    def read(self, count: int = _BLOCK) -> bytes:
        block = self.stream.read(min(count, _BLOCK) if count >= 0 else _BLOCK)
        self.budget.spend(len(block))
        return block


def unpack(archive: Path, directory: Path, size: int | None = None) -> None:
    """Unpack a .tar.gz, .tgz, .zip or .gz into `directory`, beside what lies there.

    `size` is the sum of the archive's files in bytes, where it is known; else `TIMES` the archive's
    own and `AT_LEAST` are the bound. Does nothing when this very archive (by SHA-256) was unpacked
    here and all its files still have their sizes. Raises UserError when the archive is damaged, has
    a member that is no plain file or would leave the folder, gives too much, or finds no room;
    `directory` is then as it was before.
    """
    try:
        record = directory / RECORDS / f"{sha256(archive)}.json"
        if _is_whole(record, directory):
            return
        staging = directory / STAGING
        shutil.rmtree(staging, ignore_errors=True)
        try:
            _check_room(directory, archive.stat().st_size if size is None else size)
            sizes = _extract(archive, staging, _Budget(archive, size))
            _check_place(archive, staging, directory)
            _merge(staging, directory)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        write_json(record, sizes)
    except OSError as error:
        raise UserError(f"{archive} cannot be unpacked into {directory} ({error.strerror or error})"
                        "; make room or rights and run again") from None


def _is_whole(record: Path, directory: Path) -> bool:
    try:
        sizes = read_json(record) if record.exists() else None
    except UserError:
        return False
    return isinstance(sizes, dict) and all(
        (directory / name).is_file() and (directory / name).stat().st_size == size
        for name, size in sizes.items())


def _check_room(directory: Path, needed: int) -> None:
    place = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise UserError(f"{directory}: at least {needed} bytes are to be unpacked and {free} are "
                        "free on this disk; make room and run again")


def _extract(archive: Path, staging: Path, budget: _Budget) -> dict[str, int]:
    """Write all members below `staging`; return the size of each file by its relative path."""
    staging.mkdir(parents=True)
    sizes: dict[str, int] = {}
    try:
        for name, content in _reader(archive)(archive, budget):
            path = _safe(archive, name)
            sizes |= _written(archive, staging, path, content, budget)
    except NotImplementedError as error:
        raise UserError(f"{archive} is compressed in a way that is not known here ({error}); pack "
                        "its content anew") from None
    except _DAMAGE as error:
        raise UserError(f"{archive} is not a whole archive ({error}); remove it and fetch it "
                        "again") from None
    except OSError as error:
        if error.errno is None:  # of a decompressor, not of the disk
            raise UserError(f"{archive} is not a whole archive ({error}); remove it and fetch it "
                            "again") from None
        raise
    if not sizes:
        raise UserError(f"{archive} holds no file; get the archive from its publisher again")
    return sizes


def _written(archive: Path, staging: Path, path: PurePosixPath, content: IO[bytes] | None,
             budget: _Budget) -> dict[str, int]:
    """The size of a member's file by its path; nothing for a folder."""
    target = staging / path
    try:
        if content is None:
            target.mkdir(parents=True, exist_ok=True)
            return {}
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            raise FileExistsError
        with atomic_writer(target, durable=False) as file:
            while block := content.read(_BLOCK):
                budget.spend(len(block))
                file.write(block)
            return {str(path): file.tell()}
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        # On a disk that does not tell letter cases apart, two names that differ in them too.
        raise _refusal(archive, str(path), "stands there twice, or as a file and a folder"
                       ) from None


def _reader(archive: Path) -> Callable[[Path, _Budget], Iterator[Member]]:
    if archive.name.endswith((".tar.gz", ".tgz")):
        return _tar_members
    if archive.suffix == ".zip":
        return _zip_members
    if archive.suffix == ".gz":
        return _gzip_member
    raise UserError(f"{archive}: cannot unpack this kind of file; .tar.gz, .tgz, .zip and .gz "
                    "are known")


def _tar_members(archive: Path, budget: _Budget) -> Iterator[Member]:
    # tarfile's own reading of gzip passes over the checksum at the end of the stream.
    with gzip.open(archive) as unbounded:
        # The stream has headers and fillings beside the content that the budget is about.
        stream = _Bounded(cast(IO[bytes], unbounded), _Budget(archive, 2 * budget.all + AT_LEAST))
        with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|") as tar:
            for member in tar:
                if member.isdir():
                    yield member.name, None
                elif member.isreg():
                    yield member.name, tar.extractfile(member)
                else:
                    raise _refusal(archive, member.name, "is a link or a device")
            rest = cast(IO[bytes], tar.fileobj)
            while block := rest.read(_BLOCK):
                if block.strip(b"\0"):
                    raise tarfile.ReadError("there is more after its end")


def _zip_members(archive: Path, budget: _Budget) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as packed:
        members = packed.infolist()
        _Budget(archive, budget.all).spend(sum(member.file_size for member in members))
        for member in members:
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refusal(archive, member.filename, "is a link or a device")
            if member.flag_bits & 1:
                raise _refusal(archive, member.filename, "is encrypted")
            if "\0" in member.orig_filename:
                raise _refusal(archive, member.orig_filename, "has a name that no file can have")
            if member.is_dir():
                yield member.filename, None
            else:
                with packed.open(member) as content:
                    yield member.filename, content


def _gzip_member(archive: Path, budget: _Budget) -> Iterator[Member]:
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
    # What is not UTF-8 comes as lone surrogates, which are not printable either.
    if not name.isprintable():
        raise _refusal(archive, name, "has a name that no file can have, or none in UTF-8")
    return path


def _refusal(archive: Path, member: str, reason: str) -> UserError:
    return UserError(f"{archive}: member {ascii(member[:200])} {reason}; nothing was unpacked. Get "
                     "the archive from its publisher again")


def _check_place(archive: Path, source: Path, target: Path) -> None:
    """Raise UserError where a file would replace a folder or the other way round."""
    for entry in source.iterdir():
        place = target / entry.name
        if place.exists() and place.is_dir() != entry.is_dir():
            raise UserError(f"{place} stands where {archive} has {entry.name!r} of another kind; "
                            "move it away. Nothing was unpacked")
        if entry.is_dir() and place.is_dir():
            _check_place(archive, entry, place)


def _merge(source: Path, target: Path) -> None:
    """Move a tree onto another one: folders are joined, files replaced."""
    for entry in sorted(source.iterdir()):
        place = target / entry.name
        if entry.is_dir() and place.is_dir():
            _merge(entry, place)
        else:
            put_in_place(entry, place)
