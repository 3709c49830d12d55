"""Files of corpora: from a mirror or from their address, whole and checked or not at all.

Every file has a checksum, SHA-256 or git's blob id, and nothing that fails it is ever given out. A
mirror (a folder, UNROLLED_MIRROR) is tried first, with the same checks. A download grows in
`work/downloads`, under a key made of address and checksum, so that it outlives a kill and the
removal of a stage's outputs; it goes on by HTTP range where it stopped. A connection that breaks,
stalls or is refused for now is tried again with growing pauses, as long as bytes keep coming.
"""

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.corpora.fetching.download import Patience, Unreachable, download
from pipeline.corpora.fetching.unpack import unpack
from pipeline.errors import UserError, without_secrets
from pipeline.storage.files import atomic_writer
from pipeline.suite.places import Places

__all__ = ["DOWNLOADS", "Patience", "RemoteFile", "fetch", "obtain", "unpack"]

DOWNLOADS = Places(Path()).downloads
PATIENCE = Patience()


@dataclass(frozen=True)
class RemoteFile:
    """One file of a corpus and the places that have it.

    `path` is its place below the corpus's folder, `mirror` below the mirror's (None: a mirror has
    no copy), `url` its address (None: only a mirror has it). At least one checksum is required:
    `sha256`, or `git_blob`, git's SHA-1 of the length and the bytes. `size` is in bytes, and
    `unpacked` is the sum of what is in an archive.
    """

    path: str
    mirror: str | None
    url: str | None
    sha256: str | None = None
    git_blob: str | None = None
    size: int | None = None
    unpacked: int | None = None

    def __post_init__(self) -> None:
        if not (self.sha256 or self.git_blob):
            raise ValueError(f"{self.path}: a file without a checksum cannot be trusted")
        if not (self.mirror or self.url):
            raise ValueError(f"{self.path}: neither a mirror nor an address has this file")

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name

    def flaw(self, path: Path) -> str | None:
        """What is wrong with the file at `path` ('expected ..., got ...'), None if nothing."""
        try:
            return self._difference(path)
        except OSError as error:
            return f"it cannot be read ({error.strerror})"

    def _difference(self, path: Path) -> str | None:
        length = path.stat().st_size
        if self.size is not None and length != self.size:
            return f"expected {self.size} bytes, got {length}"
        for name, expected, digest in (
                ("SHA-256", self.sha256, hashlib.sha256()),
                ("git blob id", self.git_blob, hashlib.sha1(b"blob %d\0" % length))):
            if expected is None:
                continue
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
            if digest.hexdigest() != expected:
                return f"expected {name} {expected}, got {digest.hexdigest()}"
        return None


def listing(mirror: str, address: str, files: Mapping[str, tuple[int, str]]) -> list[RemoteFile]:
    """Files {name: (bytes, SHA-256)} that an address and a folder of the mirror have alike."""
    return [RemoteFile(name, f"{mirror}/{name}", f"{address}/{name}", sha256=sha256, size=size)
            for name, (size, sha256) in files.items()]


def fetch(files: Sequence[RemoteFile], directory: Path, mirror: Path | None,
          downloads: Path = DOWNLOADS, patience: Patience = PATIENCE) -> None:
    """Put every file at its place below `directory`; those already whole are left alone.

    Raises UserError naming the first file that cannot be had, why, and what to do.
    """
    for file in files:
        target = directory / file.path
        if target.is_file() and file.flaw(target) is None:
            continue
        source = obtain(file, mirror, downloads, patience)
        try:
            with source.open("rb") as read, atomic_writer(target) as write:
                while block := read.read(1 << 20):
                    write.write(block)
        except OSError as error:
            raise UserError(f"{target} cannot be written ({error.strerror}); make room or rights "
                            "and run again") from None


def obtain(file: RemoteFile, mirror: Path | None, downloads: Path = DOWNLOADS,
           patience: Patience = PATIENCE) -> Path:
    """A whole, checked copy of a file: the mirror's own or one in `downloads` (do not alter it).

    For archives, which are unpacked from there and need no copy in the corpus's folder.
    Raises UserError like `fetch`.
    """
    copy = _mirrored(file, mirror)
    if copy is not None:
        return copy
    if file.url is None:
        raise UserError(f"{file.name}: only a mirror has this file" + _mirror_remedy(file, mirror))
    store = downloads / _key(file)
    try:
        return download(file.url, store, file.name, file.flaw, patience, file.size)
    except Unreachable as error:
        raise UserError(
            f"{file.name}: could not be fetched from {file.url} ({error})"
            + (_mirror_remedy(file, mirror) if file.mirror else "")
            + f"; or get the file in another way and place it at {store / file.name}") from None


def _mirrored(file: RemoteFile, mirror: Path | None) -> Path | None:
    """The mirror's copy if it passes the checks; a wrong one is reported and passed over."""
    if mirror is None or file.mirror is None:
        return None
    copy = mirror / file.mirror
    if not copy.is_file():
        return None
    flaw = file.flaw(copy)
    if flaw is None:
        return copy
    message = f"{copy} in the mirror is not the file it should be: {flaw}"
    if file.url is None:
        raise UserError(f"{message}; only a mirror has this file: repair the mirror")
    print(without_secrets(f"warning: {message}; trying {file.url}"), file=sys.stderr)
    return None


def _mirror_remedy(file: RemoteFile, mirror: Path | None) -> str:
    if mirror is None:
        return (f"; set UNROLLED_MIRROR to a folder that holds it as {file.mirror}, for example "
                "UNROLLED_MIRROR=../shared/mirror")
    return f"; the mirror {mirror} has no valid {file.mirror}: set UNROLLED_MIRROR to one that has"


def _key(file: RemoteFile) -> str:
    """Name of the file's folder in the downloads: another address or checksum, another folder."""
    identity = f"{file.url} {file.sha256} {file.git_blob}"
    return hashlib.sha256(identity.encode()).hexdigest()[:16]
