"""Odd text for trials: corpora's files with what readers, tokenisers and side files trip over."""

import gzip
import random
import re
from collections.abc import Callable
from pathlib import Path

# What some reader takes for a space, an end, a mark or nothing, and what some library means by it.
ODD = ["\xa0", "\u2028", "\u2029", "\x85", "\r", "\x0b", "\x0c", "\x1c", "\x1f", "\x7f", "\ufeff",
       "\u3000", "\u200b", "\u2581", "\u2585", "\0", "<s>", "</s>", "<unk>", "<UNK>", "<eos>",
       "<pad>", "<bos>", "\\data\\", "\\end\\", "\\u0020", "\\e", "\\", "\"", "'", ",", "|||", "#",
       "=", "/", "-", ":", "(", ")", "?", "\xe9", "e\u0301", "\u0130", "\xdf", "\u01c5",
       "\U0001f600", "\u65e5\u672c\u8a9e", "1", "\u0663", "nan", "A", "A ", " ", "  ", "\t",
       "\n", "x" * 3000]
BINARY = {".png", ".jpg", ".flac", ".mfc", ".wav"}
# What no word of a line can hold, so that a file with odd words for others keeps its form.
_NO_WORD = ("\0", "\ufeff", " ", "  ", "\t", "\n")
_WORD = re.compile(rb"[A-Za-z]{2,}")


def text_files(corpus: Path) -> list[Path]:
    return sorted(path for path in corpus.rglob("*")
                  if path.is_file() and path.suffix not in BINARY)


def damage(path: Path, draw: random.Random) -> str:
    """Alter a text file, gzipped or not; returns what was done to it."""
    kind = draw.choices(list(KINDS), [weight for _, weight in KINDS.values()])[0]
    rewrite(path, lambda text: KINDS[kind][0](text, draw))
    return f"{path.name}: {kind}"


def rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Change the text of a file, gzipped or not."""
    content = path.read_bytes()
    packed = path.suffix == ".gz"
    changed = change(gzip.decompress(content) if packed else content)
    path.write_bytes(gzip.compress(changed) if packed else changed)


def odd_word(draw: random.Random) -> str:
    """One to three odd characters, marks or letters."""
    return "".join(draw.choice([*ODD, "a", "b"]) for _ in range(draw.randint(1, 3)))


def odd_word_within_a_line(draw: random.Random) -> str:
    while not (word := "".join(part for part in odd_word(draw) if part not in _NO_WORD)):
        pass
    return word


def odd_lines(draw: random.Random, known: list[str]) -> bytes:
    """A file of lines with words of `known` and odd ones."""
    lines = [" ".join(draw.choice([draw.choice(known), odd_word(draw)])
                      for _ in range(draw.randint(0, 6))) for _ in range(draw.randint(1, 5))]
    return "\n".join(lines).encode()


def _words(share: float) -> Callable[[bytes, random.Random], bytes]:
    """Some words become odd ones, or get something odd within; few different ones."""
    def alter(text: bytes, draw: random.Random) -> bytes:
        pool = [odd_word_within_a_line(draw).encode() for _ in range(4)]

        def odd(found: re.Match[bytes]) -> bytes:
            if draw.random() >= share:
                return found[0]
            place = draw.randint(0, len(found[0]))
            return draw.choice([draw.choice(pool),
                                found[0][:place] + draw.choice(pool) + found[0][place:]])

        return _WORD.sub(odd, text)
    return alter


def _bytes(text: bytes, draw: random.Random) -> bytes:
    place = draw.randint(0, len(text))
    return text[:place] + draw.randbytes(draw.randint(1, 3)) + text[place + draw.randint(0, 4):]


def _lines(change: Callable[[list[bytes], int, random.Random], None]
           ) -> Callable[[bytes, random.Random], bytes]:
    def alter(text: bytes, draw: random.Random) -> bytes:
        lines = text.split(b"\n")
        change(lines, draw.randrange(len(lines)), draw)
        return b"\n".join(lines)
    return alter


KINDS: dict[str, tuple[Callable[[bytes, random.Random], bytes], int]] = {
    "a few odd words": (_words(0.01), 4),
    "many odd words": (_words(0.3), 4),
    "odd bytes": (_bytes, 2),
    "a line twice": (_lines(lambda lines, at, draw: lines.insert(at, lines[at])), 1),
    "a line less": (_lines(lambda lines, at, draw: lines.pop(at)), 1),
    "an odd line": (_lines(lambda lines, at, draw: lines.insert(at, odd_word(draw).encode())), 2),
    "cut off": (lambda text, draw: text[: draw.randint(0, len(text))], 1),
    "CR LF": (lambda text, draw: text.replace(b"\n", b"\r\n"), 1),
    "CR": (lambda text, draw: text.replace(b"\n", b"\r"), 1),
    "marked": (lambda text, draw: b"\xef\xbb\xbf" + text, 1),
    "UTF-16": (lambda text, draw: text.decode("utf-8", "replace").encode("utf-16"), 1),
    "no last end": (lambda text, draw: text.removesuffix(b"\n"), 1),
    "empty": (lambda text, draw: b"", 1),
}
