"""Tables that a user brings: CSV with a header, in whatever order its columns stand.

Columns that nobody asks for are left alone, and so are empty lines. Spaces around a field are no
part of it, except where a reader takes a column exactly: `A` and `A ` are two ids.
"""

import csv
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UserError
from pipeline.storage.lines import read_lines
from pipeline.storage.numbers import parse_number
from pipeline.storage.words import trimmed

_SHOWN = 60  # characters of a field in an error


@dataclass(frozen=True)
class Row:
    """A row's line in its file, how errors call that place, and its fields by column.

    The columns that were asked for `exact` have theirs as it stands, others without spaces around.
    """

    line: int
    place: str
    fields: dict[str, str]

    def number(self, column: str) -> float:
        """Raises UserError for a field that is no finite number; `storage.numbers` has the rule."""
        try:
            return parse_number(self.fields[column])
        except ValueError as error:
            raise UserError(f"{self.place}: {column} {shown(self.fields[column])} is no finite "
                            f"number ({error}); mend it or fill the gap") from None


def read_rows(path: Path, name: str, columns: Sequence[str],
              exact: Collection[str] = ()) -> Iterator[Row]:
    """The rows of a table; `name` is how errors call the file, `exact` names columns of ids.

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
                raise UserError(f"{place}: expected {len(header)} fields, got {len(row)}; write a "
                                "field that has a comma in it between double quotes")
            yield Row(rows.line_num, place, {
                column: field if column in exact else trimmed(field)
                for column, field in zip(header, row, strict=True)})
    except csv.Error as error:
        raise UserError(f"{name}, line {rows.line_num}: this is no CSV ({error}); mend the line, "
                        "or save the file anew as CSV with UTF-8") from None


def shown(text: str) -> str:
    """A field as errors quote it: one of a megabyte is cut."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def _check_header(header: list[str], name: str, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in header:
            given = shown(", ".join(header))[1:-1]
            raise UserError(f"{name}, line 1: no column {column!r}; the first line must name the "
                            f"columns {', '.join(columns)}, got {given or 'nothing'}")
        if header.count(column) > 1:
            raise UserError(f"{name}, line 1: column {column!r} stands there twice; rename one")
