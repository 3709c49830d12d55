"""Tables that a user brings: CSV with a header, in whatever order its columns stand.

Columns that nobody asks for are left alone, and so are empty lines. Spaces around a field are no
part of it, but an id is what it is: `A` and `A ` are two.
"""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UserError
from pipeline.storage.lines import read_lines
from pipeline.storage.words import trimmed

IDENTITY = "id"


@dataclass(frozen=True)
class Row:
    """A row's line in its file, how errors call that place, and its fields by column.

    The column `id` has its field exactly as written, others without the spaces around it.
    """

    line: int
    place: str
    fields: dict[str, str]

    def number(self, column: str) -> float:
        """Raises UserError for a field that is no finite number."""
        value = self.fields[column]
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise UserError(f"{self.place}: {column} {value!r} is no finite number; mend it or "
                            "fill the gap")
        return number


def read_rows(path: Path, name: str, columns: Sequence[str]) -> Iterator[Row]:
    """The rows of a table; `name` is how errors call the file.

    Raises UserError naming file and line when one of `columns` is missing or stands there twice,
    a row is no CSV, or has more or fewer fields than the header.
    """
    rows = csv.reader((f"{line}\n" for line in read_lines(path, name)), strict=True)
    try:
        header = [trimmed(field) for field in next(rows, [])]
        _check_header(header, name, columns)
        for row in rows:
            if not row:
                continue
            place = f"{name}, line {rows.line_num}"
            if len(row) != len(header):
                raise UserError(f"{place}: expected {len(header)} fields, got {len(row)}")
            yield Row(rows.line_num, place, {
                column: field if column == IDENTITY else trimmed(field)
                for column, field in zip(header, row, strict=True)})
    except csv.Error as error:
        raise UserError(f"{name}, line {rows.line_num}: this is no CSV ({error}); mend the line"
                        ) from None


def _check_header(header: list[str], name: str, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in header:
            raise UserError(f"{name}, line 1: no column {column!r}; the first line must name the "
                            f"columns {', '.join(columns)}, got {', '.join(header) or 'nothing'}")
        if header.count(column) > 1:
            raise UserError(f"{name}, line 1: column {column!r} stands there twice; rename one")
