"""A user's text file as lines: the one way to read what no stage has written.

Text is UTF-8, with or without a byte order mark, and its lines end in LF or CR LF. Nothing else
ends a line: U+2028, U+0085 and the form feed, at which Python's `splitlines` cuts too, can stand
inside a sentence, and a line's number must be that which an editor shows.
"""

from pathlib import Path

from pipeline.errors import UserError

_MARK = b"\xef\xbb\xbf"


def read_lines(path: Path, name: str) -> list[str]:
    """The lines of a file, those between two ends empty; one at least, with no end of line.

    `name` is how the user calls the file. Raises UserError naming it, and the line that is not
    UTF-8.
    """
    content = path.read_bytes().removeprefix(_MARK)
    if not content:
        raise UserError(f"{name} is empty; it needs one line at least")
    lines = content.removesuffix(b"\n").split(b"\n")
    return [_decoded(name, number, line.removesuffix(b"\r"))
            for number, line in enumerate(lines, start=1)]


def _decoded(name: str, number: int, line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{name}, line {number}: byte {error.start + 1} of the line is not UTF-8; "
                        "save the file as UTF-8") from None
