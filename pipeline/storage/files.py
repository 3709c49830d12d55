"""The one place that writes files: whole or absent, and the same bytes on every run.

A process can be killed at any moment and a disk can be full, so a file is written beside its place,
brought to disk, and renamed onto it; rename is atomic on one file system. That is done where a
plain file or nothing stands:

- A link stays a link: its target is replaced, or made where the link points nowhere.
- A device, a pipe and `/dev/stdout` are opened and written. Replaced they would be gone, for the
  whole machine.
- A file keeps its mode, and its owner where that may be set; a new one has those that the process
  gives. One that the process may not write is refused although its folder would allow a
  replacement, and so is a read-only one behind a link: caches, DVC's for one, hand out such links.
- Of a file with several names (hard links) the one that is written gets the new content and the
  others keep the old: a cache that shares a file with a folder is not altered.

What cannot be written is a UserError that names the place and the remedy.

JSON has sorted keys and a final newline, and gzip carries no time stamp, so that equal content is
equal bytes and versioning tools see no false change.
"""

import contextlib
import errno
import gzip
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import stat
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.errors import UserError

_REMEDIES = {
    errno.EACCES: "name another place or get the right to write there",
    errno.EPERM: "name another place or get the right to write there",
    errno.EROFS: "name a place that is not read-only",
    errno.ENOSPC: "make room or name another place",
    errno.EDQUOT: "make room or name another place",
    errno.EFBIG: "make room or name another place",
    errno.ENAMETOOLONG: "shorten the name",
    errno.ENOENT: "make the folder first",
    errno.ENOTDIR: "a part of the path is a file: name a folder",
    errno.EEXIST: "a part of the path is a file: name a folder",
    errno.EISDIR: "this is a folder: name a file in it",
    errno.ELOOP: "this link leads back to itself: remove it",
}
_READ_ONLY = "it is read-only; name another place or get the right to write there"
_DESCRIPTORS = re.compile(r"/proc/\d+(/task/\d+)?/fd|/dev/fd")
_ANY_WRITES = 0o222


class NamedFile(io.FileIO):
    """An open file to write, whose errors say which file it is and what to do.

    A pipe that nobody reads any more is no error of the place and stays a BrokenPipeError.
    """

    def __init__(self, descriptor: int, place: str, close: bool = True) -> None:
        super().__init__(descriptor, "wb", closefd=close)
        self.place = place

    def write(self, content: Any) -> int:
        try:
            return super().write(content)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise unwritable(self.place, error) from None


class _OwnFile(NamedFile):
    """Whoever asks for the descriptor, as NumPy does, would write past the errors' names."""

    def fileno(self) -> int:
        raise io.UnsupportedOperation(f"{self.place} is written by its methods alone")


def unwritable(place: Path | str, error: OSError) -> UserError:
    """What is said of a place that cannot be written."""
    remedy = _REMEDIES.get(error.errno or 0, "name another place")
    return UserError(f"{place} cannot be written ({error.strerror or error}); {remedy}")


@contextlib.contextmanager
def atomic_writer(path: Path, make_folder: bool = True,
                  durable: bool = True) -> Iterator[BinaryIO]:
    """Open a binary file that appears at `path` only when the block ends without an error.

    Its folder is made where `make_folder` is true. Without `durable` it is not waited for the disk:
    for one of thousands of files in a folder that counts as whole by a record of its own. Raises
    UserError for a place that cannot be written; see above for what is no plain file.
    """
    found = _standing(path)
    if _stays(path, found):
        with _in_place(path) as file:
            yield file
        return
    place = _target(path, found)
    if make_folder:
        with _named(path):
            place.parent.mkdir(parents=True, exist_ok=True)
    with _replacing(path, place, found, durable) as file:
        yield file
    if durable:
        _sync_folder(place.parent)


def check_place(path: Path) -> None:
    """Raise the UserError that writing a file at `path` would raise, as far as can be known.

    For what takes long to make: its folder is not made.
    """
    found = _standing(path)
    if not _stays(path, found):
        folder = _target(path, found).parent
        with _named(path):
            if not stat.S_ISDIR(os.stat(folder).st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, f"no right to write in {folder}")


def put_in_place(part: Path, place: Path) -> None:
    """Rename a file or a folder that has grown beside its place onto it, and bring it to disk."""
    with _named(place):
        descriptor = os.open(part, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(part, place)
    _sync_folder(place.parent)


@contextlib.contextmanager
def growing(path: Path) -> Iterator[BinaryIO]:
    """Open a file to add to its end: a log, or a part that `put_in_place` will name."""
    with _named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    with io.BufferedWriter(NamedFile(descriptor, str(path))) as file:
        file.seek(0, os.SEEK_END)
        yield file


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from None


def _standing(path: Path) -> os.stat_result | None:
    """What stands at a path, links followed. Raises UserError for a path that can be none."""
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None
    except ValueError:
        raise UserError(f"{str(path)!r} cannot be written; a name holds no NUL") from None
    except OSError as error:
        raise unwritable(path, error) from None


def _stays(path: Path, found: os.stat_result | None) -> bool:
    """Whether what stands there is written and never replaced."""
    if found is not None and stat.S_ISDIR(found.st_mode):
        raise unwritable(path, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)))
    return found is not None and (not stat.S_ISREG(found.st_mode) or _is_descriptor(path))


def _is_descriptor(path: Path) -> bool:
    """Whether a link leads to a file that this process has open, as `/dev/stdout` does."""
    while path.is_symlink():
        folder = os.path.realpath(path.parent)
        if _DESCRIPTORS.fullmatch(folder):
            return True
        path = Path(folder, os.readlink(path))
    return False


def _in_place(path: Path) -> BinaryIO:
    # What a shell has put into a file that it gives as standard output stays before what is added.
    adding = os.O_APPEND if _is_descriptor(path) else 0
    with _named(path):
        descriptor = os.open(path, os.O_WRONLY | adding)
    return io.BufferedWriter(_OwnFile(descriptor, str(path)))


def _target(path: Path, found: os.stat_result | None) -> Path:
    """Where the file itself lies. Raises UserError for one that may not be written."""
    if found is not None and not os.access(path, os.W_OK):
        raise UserError(f"{path} cannot be written; {_READ_ONLY}")
    if not path.is_symlink():
        return path
    if found is not None and not found.st_mode & _ANY_WRITES:
        raise UserError(f"{path} cannot be written, it leads to {os.path.realpath(path)}; "
                        f"{_READ_ONLY}")
    return Path(os.path.realpath(path))


@contextlib.contextmanager
def _replacing(path: Path, place: Path, found: os.stat_result | None,
               durable: bool) -> Iterator[BinaryIO]:
    # Part of the name is enough: all of it may leave no room for what is added.
    part = place.with_name(f".{place.name[:32]}.{secrets.token_hex(8)}.part")
    with _named(path):
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with io.BufferedWriter(_OwnFile(descriptor, str(path))) as file:
            if found is not None:
                _keep_mode(descriptor, found)
            yield file
            file.flush()
            if durable:
                with _named(path):
                    os.fsync(descriptor)
        with _named(path):
            os.replace(part, place)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _keep_mode(descriptor: int, found: os.stat_result) -> None:
    # Only root may give a file away; for others it is theirs from now on, as in an editor.
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, found.st_uid, found.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(found.st_mode))


def _sync_folder(folder: Path) -> None:
    """Bring a rename to disk. Some file systems cannot, and then have no such call."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy_folder(source: Path, place: Path) -> None:
    """Copy the plain files of a folder to `place`, which must not be there."""
    place.mkdir(parents=True)
    for path in sorted(source.rglob("*")):
        if path.is_file():
            with path.open("rb") as read, atomic_writer(place / path.relative_to(source)) as file:
                shutil.copyfileobj(read, file, 1 << 20)


def write_bytes(path: Path, content: bytes) -> None:
    with atomic_writer(path) as file:
        file.write(content)


def write_text(path: Path, content: str) -> None:
    write_bytes(path, content.encode("utf-8"))


def write_json(path: Path, value: Any, in_order: bool = False) -> None:
    """Write `value` as JSON, keys sorted or `in_order`, as they stand.

    NaN and infinity are refused because JSON has neither.
    """
    write_text(path, json_text(value, in_order))


def json_text(value: Any, in_order: bool = False) -> str:
    """The text of a JSON file that holds `value`, as `write_json` writes it."""
    return json.dumps(value, indent=2, sort_keys=not in_order, ensure_ascii=False,
                      allow_nan=False) + "\n"


def read_text(path: Path) -> str:
    """Read UTF-8 text. Raises UserError naming the file and the byte that is not UTF-8."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; run the stage that writes it") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise UserError(f"{path}, line {line}: byte {error.start} is not UTF-8; convert the file "
                        "to UTF-8 or fetch it again") from None


def read_json(path: Path, remedy: str = "remove it and run the stage that writes it again") -> Any:
    """Read JSON. Raises UserError with the file, the line and a remedy when it is damaged."""
    try:
        return json_value(read_text(path))
    except json.JSONDecodeError as error:
        raise UserError(f"{path}, line {error.lineno}: not valid JSON ({error.msg}); {remedy}"
                        ) from None


def json_value(text: str) -> Any:
    """The value of a JSON text. Raises JSONDecodeError for whatever is none.

    Python's reader takes NaN and infinity, which JSON does not have, and has errors of other kinds
    for numbers of thousands of digits and for brackets within brackets without end.
    """
    def refuse(name: str) -> Any:
        raise json.JSONDecodeError(f"{name} is no number of JSON", text, max(0, text.find(name)))

    try:
        return json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise json.JSONDecodeError(str(error), text, 0) from None


def write_gzip_lines(path: Path, lines: Iterable[str]) -> None:
    """Write text lines (without their newlines) as gzip without name or time stamp."""
    with atomic_writer(path) as raw, \
            gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed:
        for line in lines:
            packed.write(line.encode("utf-8") + b"\n")


def read_gzip_lines(path: Path) -> list[str]:
    """Read lines written by `write_gzip_lines`. Raises UserError when the file is damaged."""
    try:
        if path.stat().st_size == 0:
            raise EOFError("no bytes, not even gzip's header")
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            return [line.rstrip("\n") for line in file]
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; run the stage that writes it") from None
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise UserError(f"{path} is damaged ({error}); remove it and run its stage again") from None


def sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
