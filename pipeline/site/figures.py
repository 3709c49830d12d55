"""The pictures, texts and sounds that evaluating a system has left in figures/, as far as they are.

A clone has none of the embedded suite's before `make repro`; pages then say so. Sounds are written
as MP3 and large pictures, losing nothing, as WebP, which every browser knows and which are a
fraction of the size; the same file of several systems is kept once.
"""

import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import soundfile
from PIL import Image, UnidentifiedImageError

from pipeline.errors import UserError
from pipeline.site.speech import as_mp3
from pipeline.storage.files import read_text
from pipeline.suite.schema import Suite

_PICTURES, _TEXTS, _SOUNDS = (".png", ".svg"), (".txt",), (".wav",)
_LARGE = 20_000  # bytes of a PNG from which on it is written as WebP, half as large
_LONGEST = 20_000  # characters of a text
_NO_PICTURE = (UnidentifiedImageError, OSError, SyntaxError, ValueError,
               Image.DecompressionBombError)
_IN_MEMORY = re.compile(r"<_io\.BytesIO[^>]*>")
_DIGITS = re.compile(r"(?<=\D)_?(?=\d+$)")


@dataclass(frozen=True)
class Figure:
    """A file of one or more systems: `kind` is 'picture', 'text' or 'sound'."""

    name: str
    kind: str
    file: str
    text: str = ""
    systems: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """What it is, from its name: 'attention_1' is 'attention 1'."""
        return _DIGITS.sub(" ", self.name).replace("_", " ").replace("-", " ")


@dataclass(frozen=True)
class Gallery:
    """A track's figures, by what they show; `absent` names systems of which none is here."""

    figures: Mapping[str, Sequence[Figure]]
    absent: Sequence[str]
    contents: Mapping[str, bytes]


def gallery(suite: Suite, track: str, keys: Sequence[str]) -> Gallery:
    """The figures of these systems. Raises UserError for a sound or a picture that is none."""
    figures: dict[str, dict[str, Figure]] = {}
    contents: dict[str, bytes] = {}
    absent = []
    for key in keys:
        paths = list(_files(suite.places.figures(track, key)))
        if not paths:
            absent.append(key)
        for path in paths:
            figure = _figure(path, contents)
            same = figures.setdefault(figure.title, {})
            same.setdefault(figure.file or figure.text, figure).systems.append(key)
    return Gallery({title: list(found.values()) for title, found in sorted(figures.items())},
                   absent, contents)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in (*_PICTURES, *_TEXTS, *_SOUNDS) and path.is_file():
            yield path


def _figure(path: Path, contents: dict[str, bytes]) -> Figure:
    """The figure in a file; what a page refers to is put into `contents` under its new name."""
    if path.suffix in _TEXTS:
        text = read_text(path)
        cut = text[:_LONGEST] + ("\n…" if len(text) > _LONGEST else "")
        return Figure(path.stem, "text", "", cut)
    content, end = path.read_bytes(), path.suffix
    if path.suffix in _SOUNDS:
        content, end = _sound(content, path), ".mp3"
    elif path.suffix == ".png" and len(content) > _LARGE:
        content, end = as_webp(content, path), ".webp"
    else:
        content = checked_picture(path)
    name = f"{path.stem}-{hashlib.sha256(content).hexdigest()[:10]}{end}"
    contents[name] = content
    return Figure(path.stem, "sound" if path.suffix in _SOUNDS else "picture", name)


def as_webp(content: bytes, path: Path) -> bytes:
    """A picture as WebP, point by point the same; `path` is named where it is none."""
    written = io.BytesIO()
    try:
        with Image.open(io.BytesIO(content)) as image:
            # A fast search finds nearly all that a long one does.
            image.save(written, "WEBP", lossless=True, method=1, quality=20)
    except _NO_PICTURE as error:
        raise _unreadable(path, "picture", error) from None
    return written.getvalue()


def checked_picture(path: Path) -> bytes:
    """The content of a picture that browsers can show. Raises UserError for what is none."""
    content = path.read_bytes()
    try:
        if path.suffix != ".svg":
            with Image.open(io.BytesIO(content)) as image:
                image.verify()
        elif b"<svg" not in content or not content.rstrip().endswith(b"</svg>"):
            raise OSError("it does not begin or end as SVG does")
    except _NO_PICTURE as error:
        raise _unreadable(path, "picture", error) from None
    return content


def _unreadable(path: Path, kind: str, error: Exception) -> UserError:
    reason = ("its format is not known" if isinstance(error, UnidentifiedImageError) else
              _IN_MEMORY.sub("it", str(error)).rstrip("."))
    return UserError(f"{path} is no {kind} that can be shown ({reason}); remove it, or make it "
                     "again by the stage that writes it")


def _sound(content: bytes, path: Path) -> bytes:
    """A recording as MP3; `path` is named where it is none."""
    try:
        numbers, rate = soundfile.read(io.BytesIO(content), dtype="int16")
        return as_mp3(numbers, rate)
    except (soundfile.LibsndfileError, ValueError) as error:
        raise _unreadable(path, "sound", error) from None
