"""Sums of one's own: a line each, as `13 + 5` or, bit by bit, `0b1101 + 0b0101`.

An adder reads two numbers of equally many bits, so the shorter one gets leading zeros. Those that
are written in a binary number are kept.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.errors import UserError
from pipeline.storage.files import write_json
from pipeline.storage.lines import read_lines
from pipeline.storage.predictions import Prediction
from pipeline.storage.words import is_blank, trimmed
from pipeline.tasks.addition.shared.storage import columns, write_pairs
from pipeline.tasks.contract import OwnFile, Record, Trained

TAKES = "a text file with a sum a line, like '13 + 5' or '0b1101 + 0b101'"
SUFFIXES = (".txt",)
SHOWN = ("given", "sum", "binary")

LONGEST = 10_000  # bits; Python writes no decimal number of 15,000
_SUM = re.compile(r"[ \t]*(0b[01]+|[0-9]+)[ \t]*\+[ \t]*(0b[01]+|[0-9]+)[ \t]*")


def prepare(files: Sequence[OwnFile], trained: Trained, folder: Path) -> list[Record]:
    """Write the pairs of all files. Raises UserError naming a line that is no sum."""
    records, pairs = [], []
    for file in files:
        found = list(_sums(file))
        if not found:
            raise UserError(f"{file.name} has no sum; wanted is {TAKES}")
        for number, given, pair in found:
            records.append({"file": file.name, "line": number, "given": given})
            pairs.append(pair)
    write_pairs(folder, "test", *columns(pairs, max(len(first) for first, _ in pairs)))
    write_json(folder / "items.json", [
        {"id": f"{record['file']}, line {record['line']}", "first": first, "second": second}
        for record, (first, second) in zip(records, pairs, strict=True)])
    return records


def present(item: Record, prediction: Prediction, trained: Trained) -> Iterator[Record]:
    """The sum as the network says it, right or wrong, in decimal and in binary."""
    yield {**item, "sum": int(prediction["sum"], 2), "binary": f"0b{prediction['sum']}"}


def _sums(file: OwnFile) -> Iterator[tuple[int, str, tuple[str, str]]]:
    """Line number, text and both numbers' bits of each line that is not empty."""
    for number, line in enumerate(read_lines(file.path, file.name), start=1):
        if is_blank(line):
            continue
        place = f"{file.name}, line {number}"
        match = _SUM.fullmatch(line)
        if match is None:
            raise UserError(f"{place}: {line[:60]!r} is no sum of two numbers; write it as "
                            "'13 + 5' or '0b1101 + 0b101'")
        first, second = (_bits(one, place) for one in match.groups())
        width = max(len(first), len(second))
        yield number, trimmed(line), (first.zfill(width), second.zfill(width))


def _bits(written: str, place: str) -> str:
    """The bits of a decimal or binary number. Raises UserError for one of more than `LONGEST`."""
    if written.startswith("0b"):
        bits = written.removeprefix("0b")
    else:
        # A decimal digit is less than four bits, and Python refuses very long decimal numbers.
        bits = f"{int(written):b}" if len(written) <= LONGEST // 4 else "1" * (LONGEST + 1)
    if len(bits) > LONGEST:
        raise UserError(f"{place}: a number of more than {LONGEST} bits; shorten it")
    return bits
