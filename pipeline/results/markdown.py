"""Tables and numbers for people: the same text on every machine, readable without rendering."""

import math
import re
from collections.abc import Sequence

_MORE = 3  # decimals that a small number may have beyond its column's


def table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[str]) -> str:
    """A Markdown table with padded columns; those named in `numbers` are aligned right."""
    cells = [[_cell(text) for text in row] for row in (header, *rows)]
    if any(len(row) != len(header) for row in cells):
        raise ValueError(f"a row of this table has not the {len(header)} cells of its header")
    widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
    right = [name in numbers for name in header]
    rule = ["-" * (width - 1) + ":" if is_right else "-" * width
            for width, is_right in zip(widths, right, strict=True)]

    def line(row: Sequence[str]) -> str:
        padded = [text.rjust(width) if is_right else text.ljust(width)
                  for text, width, is_right in zip(row, widths, right, strict=True)]
        return f"| {' | '.join(padded)} |"

    return "\n".join([line(cells[0]), line(rule), *map(line, cells[1:])])


def decimal(value: float | None, decimals: int) -> str:
    """A rounded number, or a dash where there is none.

    It keeps two digits where so few decimals would leave one or none: an error of 0.00006 is not
    one of 0.0001. Whole numbers, of no decimals, stay whole.
    """
    if value is None:
        return "–"
    if decimals and 0 < abs(value) < 10.0 ** (1 - decimals):
        wanted = 1 - math.floor(math.log10(abs(value)))
        return f"{value:.{wanted}f}" if wanted <= decimals + _MORE else f"{value:.1e}"
    return f"{value:,.{decimals}f}"


def probability(p: float) -> str:
    """A p value as papers print it."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def counted(number: int, thing: str) -> str:
    """'1 group', '7 groups'."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()
