"""A text file as lines: the one way to read what no stage has written, a corpus's or a user's.

Text is UTF-8, with or without a byte order mark, and its lines end in LF or CR LF. Nothing else
ends a line: U+2028, U+0085 and the form feed, at which Python's `splitlines` cuts too, can stand
inside a sentence, and a line's number must be that which an editor shows. A carriage return
belongs to the end that follows it, and is a character like any other where none does.

What a file holds is left as it is: a letter with its accent composed (NFC) and the same of two
characters (NFD) are two texts, and so are `A` and `a`. Refused is what is a damaged file rather
than a text: bytes that are no UTF-8, NUL, a byte order mark at a later line's beginning (as where
files were joined), and lines that end in CR alone.
"""

import gzip
import re
import zlib
from pathlib import Path

from pipeline.errors import UserError

_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
_WIDE = ((b"\xff\xfe\x00\x00", "UTF-32"), (b"\x00\x00\xfe\xff", "UTF-32"),
         (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"))
_REFUSED = re.compile(f"\0|^{_MARK}", re.MULTILINE)


def read_lines(path: Path, name: str | None = None) -> list[str]:
    """The lines of a file, those between two ends empty; one at least, with no end of line.

    `name` is how errors call the file, its path if left out. Raises UserError naming the file, and
    the line that is no text.
    """
    return lines_of(_content(path, name or str(path)), name or str(path))


def read_gzip_text(path: Path) -> list[str]:
    """The same of a publisher's gzip file. Raises UserError, also for one that is damaged."""
    try:
        content = gzip.decompress(_content(path, str(path)))
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} is damaged ({error}); fetch or generate the corpus again"
                        ) from None
    return lines_of(content, str(path))


def read_running_text(path: Path) -> str:
    """The text of a file with LF at the end of each line; the last one has it if the file does."""
    content = _content(path, str(path))
    return "\n".join(lines_of(content, str(path))) + ("\n" if content.endswith(b"\n") else "")


def ended_lines(text: str) -> list[str]:
    """The lines of running text, each with its LF; a text that ends within a line has it last."""
    return re.findall("[^\n]*\n|[^\n]+", text)


def lines_of(content: bytes, name: str) -> list[str]:
    """The lines of a file's content, as `read_lines` gives them."""
    text = _decoded(content, name).removeprefix(_MARK)
    if not text:
        raise UserError(f"{name} is empty; it needs one line at least")
    if (match := _REFUSED.search(text)) is not None:
        raise UserError(_refused(name, text, match))
    if "\r" not in text:
        return text.removesuffix("\n").split("\n")
    if "\n" not in text and text.strip("\r").count("\r"):
        raise UserError(f"{name}, line 1: the lines end in CR alone; save the file with lines that "
                        "end in LF or CR LF")
    return [line.rstrip("\r") for line in text.removesuffix("\n").split("\n")]


def _content(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{name} does not exist; fetch or generate the corpus again") from None


def _decoded(content: bytes, name: str) -> str:
    for mark, coding in _WIDE:
        if content.startswith(mark):
            raise UserError(f"{name}, line 1: this is {coding}, not UTF-8; save the file as UTF-8")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        *ended, begun = content[: error.start].split(b"\n")
        raise UserError(f"{name}, line {len(ended) + 1}: byte {len(begun) + 1} of the line is not "
                        "UTF-8; save the file as UTF-8") from None


def _refused(name: str, text: str, match: re.Match[str]) -> str:
    line = text.count("\n", 0, match.start()) + 1
    place = f"{name}, line {line}"
    if match[0] == "\0":
        return (f"{place}: it holds NUL (U+0000), which no text does; if the file is UTF-16, save "
                "it as UTF-8, else remove the character")
    return (f"{place}: it begins with a byte order mark (U+FEFF), as where files were joined; "
            "remove the mark")
