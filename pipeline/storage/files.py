"""Files that are whole or absent, and the same bytes on every run.

A process can be killed at any moment, so a file is written beside its place and renamed onto it;
rename is atomic on one file system. JSON has sorted keys and a final newline, and gzip carries no
time stamp, so that equal content is equal bytes and versioning tools see no false change.
"""

import contextlib
import gzip
import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.errors import UserError


@contextlib.contextmanager
def atomic_writer(path: Path) -> Iterator[BinaryIO]:
    """Open a binary file that appears at `path` only when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def write_bytes(path: Path, content: bytes) -> None:
    with atomic_writer(path) as file:
        file.write(content)


def write_text(path: Path, content: str) -> None:
    write_bytes(path, content.encode("utf-8"))


def write_json(path: Path, value: Any, in_order: bool = False) -> None:
    """Write `value` as JSON, keys sorted or `in_order`, as they stand.

    NaN and infinity are refused because JSON has neither.
    """
    write_text(path, json.dumps(value, indent=2, sort_keys=not in_order, ensure_ascii=False,
                                allow_nan=False) + "\n")


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


def read_json(path: Path) -> Any:
    """Read JSON. Raises UserError naming the file and the line when it is damaged."""
    try:
        return json_value(read_text(path))
    except json.JSONDecodeError as error:
        raise UserError(f"{path}, line {error.lineno}: not valid JSON ({error.msg}); remove it "
                        "and run the stage that writes it again") from None


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
