"""Tables of results as Parquet: whole, compact, the same bytes on every run, sealed by a digest.

pandas, DuckDB and Arrow read such a file in one line. Numbers are split into planes of bytes before
they are compressed, or given by a dictionary of their values, whichever makes the file smaller.

Parquet has checksums of its pages at most and none of its footer, where names and types stand. The
SHA-256 of everything else stands right before the footer: readers find all parts of a
file by their distance from its beginning and never look there. A file without it, or with another
one, is not the file that was written.

Source: the format's description at parquet.apache.org, sections "File Format" and "Encodings".
"""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import UserError
from pipeline.storage.files import write_bytes

_LEVEL = 19  # a second for a million numbers; reading is as fast as from any other level
_ONE_PAGE = 1 << 30
_DIGEST = hashlib.sha256().digest_size
_MAGIC = b"PAR1"
_TAIL = 4 + len(_MAGIC)  # the footer's length and the magic number
# Of neighbouring names of items the encoding keeps only where they differ from each other.
_NAMES = ("id", "group")
_AGAIN = "remove it and run the stage that writes it again"


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table of text, whole numbers, floats and booleans, or lists and structs of them.

    Equal tables are equal bytes, from one version of Arrow.
    """
    write_bytes(path, min((_sealed(_encoded(table, split)) for split in (True, False)), key=len))


def read_table(path: Path, remedy: str = _AGAIN) -> pa.Table:
    """Read what `write_table` wrote.

    Raises UserError, which names the file and ends with `remedy`, when it is missing or damaged.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; run the stage that writes it") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); {remedy}") from None
    whole = _unsealed(content)
    if whole is None:
        raise UserError(f"{path} is damaged: it is not the file that was written; {remedy}")
    try:
        # Threads would outlive the call, in processes that are forked.
        return pq.ParquetFile(pa.BufferReader(whole)).read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} is no Parquet that can be read ({error}); {remedy}") from None


def _encoded(table: pa.Table, split: bool) -> bytes:
    """A table as plain Parquet, its numbers in planes of bytes or by a dictionary."""
    columns = [leaf for part in table.schema for leaf in _leaves(part.name, part.type)]
    floats = {path for path, kind in columns if pa.types.is_floating(kind)}
    floats -= {path for path, kind in columns if not pa.types.is_floating(kind)}
    encodings = dict.fromkeys(floats if split else (), "BYTE_STREAM_SPLIT")
    encodings |= {path: "DELTA_BYTE_ARRAY" for path, kind in columns
                  if path in _NAMES and pa.types.is_string(kind)}
    file = io.BytesIO()
    pq.write_table(table, file, row_group_size=max(1, len(table)), compression="zstd",
                   compression_level=_LEVEL, data_page_size=_ONE_PAGE,
                   dictionary_pagesize_limit=_ONE_PAGE, write_statistics=False,
                   store_schema=False, column_encoding=encodings,
                   use_dictionary=[path for path, _ in columns if path not in encodings])
    return file.getvalue()


def _leaves(path: str, kind: pa.DataType) -> Iterator[tuple[str, pa.DataType]]:
    """The columns that Parquet makes of one of a table: their paths and kinds."""
    if pa.types.is_list(kind):
        yield from _leaves(f"{path}.list.element", kind.value_type)
    elif pa.types.is_struct(kind):
        for part in kind:
            yield from _leaves(f"{path}.{part.name}", part.type)
    else:
        yield path, kind


def _sealed(plain: bytes) -> bytes:
    footer = len(plain) - _TAIL - int.from_bytes(plain[-_TAIL:-len(_MAGIC)], "little")
    return plain[:footer] + hashlib.sha256(plain).digest() + plain[footer:]


def _unsealed(content: bytes) -> bytes | None:
    """The Parquet file without its digest; None where that is not the one of this file."""
    footer = len(content) - _TAIL - int.from_bytes(content[-_TAIL:-len(_MAGIC)], "little")
    if footer < _DIGEST:
        return None
    plain = content[: footer - _DIGEST] + content[footer:]
    digest = content[footer - _DIGEST : footer]
    return plain if hashlib.sha256(plain).digest() == digest else None
